"""The params that a binding gives a policy, among the known objects (apiserver policy/generic)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sekisho.kube.gvk import GVK, Scheme
from sekisho.kube.object import Object
from sekisho.policy.vap.binding import ParamRef

GroupKind = tuple[str, str]

NOT_FOUND = "no params found for policy binding with `Deny` parameterNotFoundAction"


class ParamError(Exception):
    """Params cannot be told; the failure policy decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The objects that can be params, by group and kind, in the order of their namespaces and names."""

    objects: Mapping[GroupKind, tuple[Object, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, kinds: Iterable[GVK], objects: Iterable[Object]) -> Params:
        """The objects of these kinds."""
        found: dict[GroupKind, list[Object]] = {(kind.group, kind.kind): [] for kind in kinds}
        for object in objects:
            rows = found.get((object.gvk.group, object.gvk.kind))
            if rows is not None:
                rows.append(object)
        return cls(
            objects={
                kind: tuple(sorted(rows, key=lambda row: (row.namespace, row.name)))
                for kind, rows in found.items()
            }
        )

    def collect(
        self, kind: GVK | None, reference: ParamRef | None, namespace: str, scheme: Scheme
    ) -> tuple[Object | None, ...]:
        """The params to evaluate with, one after the other; ``(None,)`` where there is nothing to look for.

        ``namespace`` is that of the request. Empty where none are found and that is allowed: then nothing is
        evaluated. Raises ParamError.
        """
        if kind is None or reference is None:
            return (None,)
        rows = self.objects.get((kind.group, kind.kind), ())
        scope = _namespaced(kind, rows, scheme)
        if scope is None:
            shown = f"{kind.group}/{kind.version}, Kind={kind.kind}"
            raise ParamError(f"failed to find resource referenced by paramKind: '{shown}'")
        if scope:
            where = reference.namespace or namespace
            if not where:
                raise ParamError(
                    "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
                )
            rows = tuple(row for row in rows if (row.namespace or "default") == where)
        elif reference.namespace:
            raise ParamError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        if reference.name:
            rows = tuple(row for row in rows if row.name == reference.name)[:1]
        elif reference.selector is not None:
            selector = reference.selector
            rows = tuple(row for row in rows if selector.matches(row.labels))
        if not rows and reference.deny_missing:
            raise ParamError(NOT_FOUND)
        return tuple(_in_version(row, kind) for row in rows)


def _namespaced(kind: GVK, rows: tuple[Object, ...], scheme: Scheme) -> bool | None:
    """Whether a kind lives in namespaces, None if nothing is known of it.

    Of a kind without a definition its objects tell: a constraint of Gatekeeper is made by its template.
    """
    known = scheme.namespaced(kind)
    if known is not None or not rows:
        return known
    return any(row.namespace for row in rows)


def _in_version(object: Object, kind: GVK) -> Object:
    """The object in the version that the policy asks for."""
    if object.api_version == kind.api_version:
        return object
    return object.replaced({**object.raw, "apiVersion": kind.api_version})
