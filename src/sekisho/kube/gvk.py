"""Group, version, kind and resource, and the kinds that every cluster has.

``BUILT_IN`` lists the kinds that Kubernetes 1.25 to 1.37 serve, with the versions of each in that range.
A ``Scheme`` answers what a kind's plural is and whether it lives in a namespace; CustomResourceDefinitions
extend it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sekisho.kube.kinds import ROWS


class GVK(NamedTuple):
    """Group, version, kind. The group of the core kinds is empty."""

    group: str
    version: str
    kind: str

    @classmethod
    def of(cls, api_version: str, kind: str) -> GVK:
        """The kind that an object's ``apiVersion`` and ``kind`` name."""
        group, version = parse_api_version(api_version)
        return cls(group, version, kind)

    @property
    def api_version(self) -> str:
        """``v1`` or ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def to_json(self) -> dict[str, str]:
        """As AdmissionReview writes it."""
        return {"group": self.group, "version": self.version, "kind": self.kind}

    def __str__(self) -> str:
        return f"{self.api_version}, Kind={self.kind}"


class GVR(NamedTuple):
    """Group, version, resource: the plural under which a kind is served."""

    group: str
    version: str
    resource: str

    def to_json(self) -> dict[str, str]:
        """As AdmissionReview writes it."""
        return {"group": self.group, "version": self.version, "resource": self.resource}

    def __str__(self) -> str:
        where = f"{self.group}/{self.version}" if self.group else self.version
        return f"{where}, Resource={self.resource}"


NO_KIND: Final = GVK("", "", "")
NO_RESOURCE: Final = GVR("", "", "")


def parse_api_version(text: str) -> tuple[str, str]:
    """``apps/v1`` → group and version. Never fails: what is malformed stands in the version whole."""
    group, slash, version = text.partition("/")
    if not slash:
        return "", text
    if "/" in version or not group or not version:
        return "", text
    return group, version


def well_formed_api_version(text: str) -> bool:
    """Whether Kubernetes would accept this ``apiVersion``: ``VERSION`` or ``GROUP/VERSION``."""
    parts = text.split("/")
    return len(parts) <= 2 and all(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindInfo:
    """What a scheme knows of a kind: its names, its scope, its versions (preferred first)."""

    group: str
    kind: str
    plural: str
    namespaced: bool
    versions: tuple[str, ...]

    def resource(self, version: str) -> GVR:
        """The resource that serves this version."""
        return GVR(self.group, version, self.plural)


class Scheme:
    """Kinds by group and name. Immutable: ``with_crds`` gives a new one."""

    __slots__ = ("_by_plural", "_kinds")

    def __init__(self, kinds: Iterable[KindInfo]) -> None:
        self._kinds = {(info.group, info.kind): info for info in kinds}
        self._by_plural = {(info.group, info.plural): info for info in self._kinds.values()}

    def find(self, group: str, kind: str) -> KindInfo | None:
        """What is known of a kind; the version does not matter."""
        return self._kinds.get((group, kind))

    def find_resource(self, group: str, plural: str) -> KindInfo | None:
        """What is known of the kind served under this plural."""
        return self._by_plural.get((group, plural))

    def kinds(self) -> tuple[KindInfo, ...]:
        """Every known kind."""
        return tuple(self._kinds.values())

    def resource(self, gvk: GVK) -> GVR:
        """The resource of a kind; of an unknown one, the plural that Kubernetes would guess."""
        info = self.find(gvk.group, gvk.kind)
        plural = info.plural if info else guess_plural(gvk.kind)
        return GVR(gvk.group, gvk.version, plural)

    def namespaced(self, gvk: GVK) -> bool | None:
        """Whether objects of this kind live in a namespace; None when it is unknown."""
        info = self.find(gvk.group, gvk.kind)
        return info.namespaced if info else None

    def with_kinds(self, kinds: Iterable[KindInfo]) -> Scheme:
        """This scheme and these kinds, which win over those of the same name."""
        return Scheme([*self._kinds.values(), *kinds])

    def with_crds(self, crds: Iterable[Mapping[str, Any]]) -> Scheme:
        """This scheme and the kinds that these CustomResourceDefinitions (raw JSON) define."""
        found = (_crd_kind(crd) for crd in crds)
        return self.with_kinds(info for info in found if info is not None)


def guess_plural(kind: str) -> str:
    """The plural of an unknown kind, by the rule of Kubernetes' own clients (meta.RESTMapper)."""
    name = kind.lower()
    if name.endswith("endpoints"):
        return name
    if name.endswith("s"):
        return name + "es"
    if name.endswith("y"):
        return name[:-1] + "ies"
    return name + "s"


def _crd_kind(crd: Mapping[str, Any]) -> KindInfo | None:
    """What a CustomResourceDefinition defines; None if it is too malformed to say."""
    spec = crd.get("spec")
    if not isinstance(spec, Mapping):
        return None
    names = spec.get("names")
    kind = names.get("kind") if isinstance(names, Mapping) else None
    if not isinstance(kind, str) or not isinstance(names, Mapping):
        return None
    plural = names.get("plural")
    versions = spec.get("versions")
    rows = versions if isinstance(versions, list) else []
    return KindInfo(
        group=str(spec.get("group", "")),
        kind=kind,
        plural=plural if isinstance(plural, str) else guess_plural(kind),
        namespaced=spec.get("scope") == "Namespaced",
        versions=tuple(
            str(row["name"])
            for row in rows
            if isinstance(row, Mapping) and "name" in row and row.get("served", True)
        ),
    )


BUILT_IN: Final = Scheme(
    KindInfo(
        group=group,
        kind=kind,
        plural=plural,
        namespaced=scope == "Namespaced",
        versions=tuple(versions.split()),
    )
    for group, kind, plural, scope, versions in ROWS
)
"""The kinds of Kubernetes 1.25 to 1.37."""
