"""The shape of this package's kinds: Kubernetes' own schema of them, which all versions share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, ObjectPath, Path
from sekisho.kube import fielderror
from sekisho.kube.object import Object
from sekisho.kube.schema import builtin, validate
from sekisho.kube.schema import codes as schema_codes
from sekisho.policy import shapes
from sekisho.policy.vap import codes

GROUP: Final = "admissionregistration.k8s.io"
VERSIONS: Final = ("v1", "v1beta1", "v1alpha1")


Problems = Callable[[Mapping[str, Any]], Iterable[tuple[Path, str]]]
"""What is wrong with a spec besides its shape: where in the object, and why."""


def problems_of(object: Object, code: Code, problems: Problems) -> tuple[Diagnostic, ...]:
    """What is wrong with an object: first its shape, then the rest.

    Words that are none of those that a field takes do not keep the rest from being told.
    """
    found = _shape_problems(object)
    if any(row.code is not schema_codes.UNSUPPORTED for row in found):
        return found
    said = {row.at.path for row in found if isinstance(row.at, ObjectPath)}
    rest = (
        Diagnostic(code=code, message=message, at=object.at(*path))
        for path, message in problems(object.raw["spec"])
        if path not in said
    )
    return (*found, *rest)


def _shape_problems(object: Object) -> tuple[Diagnostic, ...]:
    """What keeps an object of a kind of this package from being read at all."""
    if object.gvk.version not in VERSIONS:
        message = f'there is no version "{object.gvk.version}" of {object.kind}'
        help = f"versions: {', '.join(VERSIONS)}"
        at = object.at("apiVersion")
        return (Diagnostic(code=codes.BAD_POLICY, message=message, at=at, help=help),)
    found = builtin().lookup(GROUP, "v1", object.kind)
    assert found is not None, "v1 has been served since 1.30"
    problems = validate(object.raw, found.schema, shapes.locate(object))
    if not problems and object.raw.get("spec") is None:
        at = object.at("spec")
        problems = (Diagnostic(code=codes.BAD_POLICY, message=fielderror.required(("spec",)), at=at),)
    return problems
