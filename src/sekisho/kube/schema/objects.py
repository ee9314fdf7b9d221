"""Judging a whole object: which schema holds for it, and whether its kind is served at all."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Diagnostic, Level, ObjectPath, Path
from sekisho.kube.object import Object
from sekisho.kube.schema import codes
from sekisho.kube.schema.builtin import NEWEST, Builtin, builtin, minor_versions
from sekisho.kube.schema.custom import NO_CUSTOM_KINDS, CustomKinds
from sekisho.kube.schema.default import default
from sekisho.kube.schema.history import REMOVED
from sekisho.kube.schema.suggest import suggestion
from sekisho.kube.schema.validate import Locate, validate

_CLIENT_SIDE: Final = frozenset({("", "v1", "List"), ("", "v1", "Config")})
"""Kinds of files in a group of Kubernetes' own that no server serves: kubectl's list, a kubeconfig."""


def validate_object(
    object: Object, *, kubernetes_version: str = NEWEST, crds: CustomKinds = NO_CUSTOM_KINDS
) -> tuple[Diagnostic, ...]:
    """What Kubernetes' schemas, or those of the given custom kinds, find wrong with an object.

    A kind that no schema is known for gets a note and no judgement. ``kubernetes_version`` is ``1.33``,
    ``v1.33.2`` and the like; raises DiagnosticError (KUB112) for one that is not known.
    """
    known = builtin(kubernetes_version)
    group, version, kind = key = object.gvk
    found = known.lookup(group, version, kind)
    if found is not None:
        return validate(object.raw, found.schema, _locate(object))
    if key not in crds:
        return (_without_schema(object, known, crds),)
    schema = crds.get(key)
    if schema is None:
        return ()
    return validate(default(object.raw, schema), schema, _locate(object))


def _locate(object: Object) -> Locate:
    def locate(path: Path, key: bool) -> ObjectPath:
        return object.at(*path, key=key)

    return locate


def _without_schema(object: Object, known: Builtin, crds: CustomKinds) -> Diagnostic:
    """The version is wrong, the kind was removed or is not there yet, is misspelt, or is simply unknown."""
    group, version, kind = object.gvk
    api_version = object.gvk.api_version
    instead = known.serving(group, kind) or crds.versions(group, kind)
    removed = REMOVED.get((group, version, kind))
    served_by = minor_versions(group, version, kind)
    if instead or removed or served_by:
        reason = _reason(known, served_by, removed.gone_in if removed else "")
        message = f"Kubernetes {known.version} does not serve {kind} in {api_version}{reason}"
        successors = [removed.successor] if removed and removed.successor else []
        successors += [_joined(group, name) for name in instead if _joined(group, name) not in successors]
        return _not_served(object, message, successors)
    if known.has_group(group) and (group, version, kind) not in _CLIENT_SIDE:
        message = f'no matches for kind "{kind}" in version "{api_version}"'
        elsewhere = [
            _joined(other, name) for other in known.groups(kind) for name in known.serving(other, kind)
        ]
        meant = "" if elsewhere else suggestion(kind, known.names(group))
        return _not_served(object, message, elsewhere, meant)
    message = f"no schema is known for {kind} in {api_version}: the object's fields are not judged"
    return Diagnostic(code=codes.UNKNOWN_KIND, message=message, level=Level.NOTE, at=object.at("kind"))


def _reason(known: Builtin, served_by: tuple[str, ...], gone_in: str) -> str:
    if not served_by:
        return f": it was removed in {gone_in}" if gone_in else ""
    first, last = (int(name.partition(".")[2]) for name in (served_by[0], served_by[-1]))
    if int(known.version.partition(".")[2]) > last:
        return f": it was removed in 1.{last + 1}"
    return f": it is new in 1.{first}"


def _not_served(object: Object, message: str, instead: list[str], meant: str = "") -> Diagnostic:
    at = object.at("kind" if meant else "apiVersion")
    data = {"apiVersion": object.gvk.api_version, "kind": object.gvk.kind, "served": instead}
    help = meant or (f"use {' or '.join(instead[:2])}" if instead else "")
    return Diagnostic(code=codes.NOT_SERVED, message=message, at=at, help=help, data=data)


def _joined(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version
