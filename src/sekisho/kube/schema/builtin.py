"""The schemas of Kubernetes' own kinds, version by version.

``builtin("1.33")`` costs nothing; ``lookup`` reads the kind's definitions from the data file, and a
definition that it refers to is read when a value first has such a field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, partial
from typing import Any, Final, NamedTuple

from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube.schema import codes
from sekisho.kube.schema.model import ABSENT, ANYTHING, NO_MERGING, NO_PROPERTIES, Merging, Schema
from sekisho.kube.schema.store import KindFacts, store

VERSIONS: Final[tuple[str, ...]] = tuple(f"1.{minor}" for minor in range(25, 38))
"""The versions of Kubernetes whose schemas are known; a test holds it to the data file."""
NEWEST: Final = VERSIONS[-1]

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1"
_EXTENSIONS: Final = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
OBJECT_META: Final = f"{_META}.ObjectMeta"

_OWN_DECODERS: Final[Mapping[str, Schema]] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": Schema(
        format="quantity", nullable=True, null_is_absent=True
    ),
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": Schema(
        int_or_string=True, format="int32", nullable=True, null_is_absent=True
    ),
    "io.k8s.apimachinery.pkg.runtime.RawExtension": Schema(
        open=True, nullable=True, null_is_absent=True, kept=True, merging=Merging(map_type="atomic")
    ),
    f"{_META}.MicroTime": Schema(type="string", format="micro-time", nullable=True, null_is_absent=True),
    f"{_META}.FieldsV1": ANYTHING,
    f"{_META}.Patch": ANYTHING,
    f"{_EXTENSIONS}.JSON": ANYTHING,
    f"{_EXTENSIONS}.JSONSchemaPropsOrArray": ANYTHING,
    f"{_EXTENSIONS}.JSONSchemaPropsOrBool": ANYTHING,
    f"{_EXTENSIONS}.JSONSchemaPropsOrStringArray": ANYTHING,
}
"""Types that decode themselves in Go, so that their published schema says less or more than is accepted."""

_NOT_DEMANDED: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        ("io.k8s.api.core.v1.ISCSIVolumeSource", "lun"),
        ("io.k8s.api.core.v1.ISCSIPersistentVolumeSource", "lun"),
        ("io.k8s.api.core.v1.LimitRangeSpec", "limits"),
        ("io.k8s.api.core.v1.SleepAction", "seconds"),
        ("io.k8s.api.storage.v1.CSINodeSpec", "drivers"),
        (f"{_EXTENSIONS}.CustomResourceDefinitionVersion", "served"),
        (f"{_EXTENSIONS}.CustomResourceDefinitionVersion", "storage"),
    }
)
"""Fields that are published as required though the server takes their absence for their zero value."""


_FORMATS: Final[Mapping[str, str]] = {"byte": "base64"}
"""Formats that Go's decoder reads otherwise than the validation of custom resources does."""


class Kind(NamedTuple):
    """A built-in kind in one version of Kubernetes. ``plural`` is empty if it has no path of its own."""

    schema: Schema
    plural: str
    namespaced: bool
    subresources: tuple[str, ...]


class Builtin:
    """The built-in kinds of one version of Kubernetes. Make it with ``builtin``."""

    __slots__ = ("_definitions", "_kinds", "_minor", "version")

    def __init__(self, version: str) -> None:
        self.version = version
        self._minor = int(version.partition(".")[2])
        self._definitions: dict[tuple[str, bool], Schema] = {}
        self._kinds: dict[tuple[str, str, str], Kind | None] = {}

    def lookup(self, group: str, version: str, kind: str) -> Kind | None:
        """A kind, None if this version of Kubernetes does not know it."""
        key = (group, version, kind)
        if key not in self._kinds:
            facts = store().kind(group, version, kind, self._minor)
            self._kinds[key] = self._kind(facts) if facts else None
        return self._kinds[key]

    def serving(self, group: str, kind: str) -> tuple[str, ...]:
        """The versions of a group that have a kind, newest and most stable first (``v1``, ``v1beta1``)."""
        found = {
            version
            for (its_group, version, its_kind), minors in store().kinds().items()
            if (its_group, its_kind) == (group, kind) and self._minor in minors
        }
        return tuple(sorted(found, key=stability, reverse=True))

    def groups(self, kind: str) -> tuple[str, ...]:
        """The groups that have a kind of this name."""
        return tuple(
            sorted(
                {
                    group
                    for (group, _, its_kind), minors in store().kinds().items()
                    if its_kind == kind and self._minor in minors
                }
            )
        )

    def has_group(self, group: str) -> bool:
        """Whether the group is one of Kubernetes' own in this version."""
        return bool(self.names(group))

    def names(self, group: str) -> tuple[str, ...]:
        """The names of a group's kinds."""
        return tuple(
            sorted(
                {
                    kind
                    for (its_group, _, kind), minors in store().kinds().items()
                    if its_group == group and self._minor in minors
                }
            )
        )

    def definition(self, name: str, *, lenient: bool = False) -> Schema:
        """The schema of a definition such as ``io.k8s.api.core.v1.PodSpec``; an unknown one says nothing.

        ``lenient`` leaves out what is required, as in a status, which the server does not read from a
        manifest.
        """
        key = (name, lenient)
        found = self._definitions.get(key)
        if found is None:
            found = _OWN_DECODERS.get(name)
            if found is None:
                raw = store().definition(name, self._minor)
                found = self._node(raw, lenient, name) if raw is not None else ANYTHING
            self._definitions[key] = found
        return found

    def _kind(self, facts: KindFacts) -> Kind:
        raw = dict(store().definition(facts.definition, self._minor) or {})
        status = raw.get("properties", {}).get("status")
        schema = self._node(raw, False, facts.definition)
        if status is not None:
            lenient = {**schema.properties, "status": self._node(status, True)}
            schema = self._node(
                {**raw, "required": _without(raw, "status")}, False, facts.definition, lenient
            )
        return Kind(schema, facts.plural, facts.namespaced, facts.subresources)

    def _node(
        self,
        raw: Mapping[str, Any],
        lenient: bool,
        name: str = "",
        properties: Mapping[str, Schema] | None = None,
    ) -> Schema:
        reference = raw.get("$ref")
        if reference:
            target = partial(self.definition, reference, lenient=lenient)
            default = raw.get("default", ABSENT)
            return Schema(
                target=target, nullable=True, null_is_absent=True, merging=_merging(raw), default=default
            )
        if properties is None:
            rows = raw.get("properties", {})
            properties = {field: self._node(row, lenient) for field, row in rows.items()} or NO_PROPERTIES
        additional, items, enum = raw.get("additionalProperties"), raw.get("items"), raw.get("enum")
        return Schema(
            type=raw.get("type", ""),
            format=_FORMATS.get(raw.get("format", ""), raw.get("format", "")),
            nullable=True,
            null_is_absent=True,
            properties=properties,
            additional=self._node(additional, lenient) if additional else None,
            required=()
            if lenient
            else tuple(field for field in raw.get("required", ()) if (name, field) not in _NOT_DEMANDED),
            items=self._node(items, lenient) if items else None,
            # the empty string is Go's zero value: the server reads it as absent
            enum=("", None, *enum) if enum else None,
            merging=_merging(raw),
            default=raw.get("default", ABSENT),
            name=name,
        )


def _without(raw: Mapping[str, Any], field: str) -> list[str]:
    return [name for name in raw.get("required", ()) if name != field]


def _merging(raw: Mapping[str, Any]) -> Merging:
    keys = raw.keys() & {
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-patch-strategy",
    }
    if not keys:
        return NO_MERGING
    return Merging(
        list_type=raw.get("x-kubernetes-list-type", ""),
        list_keys=tuple(raw.get("x-kubernetes-list-map-keys", ())),
        map_type=raw.get("x-kubernetes-map-type", ""),
        patch_strategy=raw.get("x-kubernetes-patch-strategy", ""),
        patch_key=raw.get("x-kubernetes-patch-merge-key", ""),
    )


_VERSION: Final = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


def stability(version: str) -> tuple[int, int, int]:
    """Orders API versions as Kubernetes does: v2 above v1 above v1beta1 above v1alpha1 above all others."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return (-1, 0, 0)
    rank = {None: 2, "beta": 1, "alpha": 0}[match[2]]
    return (rank, int(match[1]), int(match[3] or 0))


def minor_versions(group: str, version: str, kind: str) -> tuple[str, ...]:
    """The versions of Kubernetes, of those known, that serve a kind."""
    return tuple(f"1.{minor}" for minor in store().kinds().get((group, version, kind), ()))


def nearest(version: str) -> str:
    """The known version of Kubernetes that a text means: ``v1.33.2`` is 1.33.

    Raises DiagnosticError (KUB112) if it is none of ``VERSIONS``.
    """
    match = re.fullmatch(r"v?(\d+\.\d+)(\.\d+)?([-+].*)?", version.strip())
    if match is None or match[1] not in VERSIONS:
        message = f'no schemas are known for Kubernetes "{version}"'
        help = f"versions {VERSIONS[0]} to {VERSIONS[-1]} are known"
        raise DiagnosticError(Diagnostic(code=codes.UNKNOWN_VERSION, message=message, help=help))
    return match[1]


@cache
def _builtin(version: str) -> Builtin:
    return Builtin(version)


def builtin(version: str = NEWEST) -> Builtin:
    """The built-in kinds of a version of Kubernetes; raises DiagnosticError (KUB112) if it is unknown."""
    return _builtin(nearest(version))
