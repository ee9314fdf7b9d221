"""All resources that are served now. Immutable: a changed CustomResourceDefinition makes a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sekisho.apiserver.builtin import built_in_types
from sekisho.apiserver.types import ResourceType


class Registry:
    """Resources by path, and what discovery wants to know of groups."""

    __slots__ = ("_by_key", "_by_kind", "_by_path", "_groups")

    def __init__(self, types: Iterable[ResourceType]) -> None:
        self._by_path = {(row.group, row.version, row.plural): row for row in types}
        self._by_kind = {(row.group, row.version, row.kind): row for row in self._by_path.values()}
        self._by_key: dict[tuple[str, str], ResourceType] = {}
        self._groups: dict[str, list[str]] = {}
        for row in self._by_path.values():
            if (row.version == row.stored and row.home is None) or row.key not in self._by_key:
                self._by_key[row.key] = row
            versions = self._groups.setdefault(row.group, [])
            if row.version not in versions:
                versions.append(row.version)

    def find(self, group: str, version: str, plural: str) -> ResourceType | None:
        """The resource of a path."""
        return self._by_path.get((group, version, plural))

    def of_kind(self, group: str, version: str, kind: str) -> ResourceType | None:
        """The resource of a kind."""
        return self._by_kind.get((group, version, kind))

    def stored(self, key: tuple[str, str]) -> ResourceType | None:
        """The resource in the version in which its objects are kept."""
        return self._by_key.get(key)

    def groups(self) -> Mapping[str, list[str]]:
        """The versions of every group, preferred one first; the core group is the empty one."""
        return self._groups

    def of(self, group: str, version: str) -> Iterator[ResourceType]:
        """The resources of a group in a version, by name."""
        rows = (row for row in self._by_path.values() if (row.group, row.version) == (group, version))
        yield from sorted(rows, key=lambda row: row.plural)

    def has_group(self, group: str, version: str) -> bool:
        """Whether a group is served in a version."""
        return version in self._groups.get(group, ())

    def serves(self, group: str) -> bool:
        """Whether a group is served at all."""
        return group in self._groups

    def types(self) -> tuple[ResourceType, ...]:
        """All of them."""
        return tuple(self._by_path.values())

    def with_types(self, types: Iterable[ResourceType]) -> Registry:
        """The built-in resources and these; a built-in one is never replaced."""
        own = [row for row in self._by_path.values() if row.custom is None]
        taken = {(row.group, row.plural) for row in own}
        return Registry([*own, *(row for row in types if row.key not in taken)])


def built_in_registry() -> Registry:
    """The built-in resources alone."""
    return Registry(built_in_types())
