"""The data file of Kubernetes' own schemas, read line by line when something asks for one.

The file is a series of gzip members of JSON lines (``zcat`` prints them all); the first is the index.
``tools/make_kubernetes_schemas.py`` makes it and says from what; ``data/NOTICE`` says whose it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

_FILE: Final = Path(__file__).parent / "data" / "kubernetes.json.gz"
_GZIP: Final = 31
"""What zlib calls a gzip wrapper with a window of any size."""
_PROTOBUF: Final = "protobuf"
"""The member with the field numbers of protobuf messages."""


class KindFacts(NamedTuple):
    """A kind in one version of Kubernetes. ``plural`` is empty if it is not a resource of its own."""

    definition: str
    plural: str
    namespaced: bool
    subresources: tuple[str, ...]


class Store:
    """The opened data file."""

    __slots__ = ("_kinds", "_lines", "_members", "_rest", "versions")

    def __init__(self, data: bytes) -> None:
        opener = zlib.decompressobj(_GZIP)
        index = orjson.loads(opener.decompress(data))
        assert index["format"] == 1, "the data file and this code belong together"
        self._rest = opener.unused_data
        self._members: dict[str, list[int]] = index["members"]
        self._lines: dict[str, dict[bytes, list[bytes]]] = {}
        self._kinds: dict[tuple[str, str, str], list[tuple[int, int, Mapping[str, Any]]]] = {
            (group, version, kind): runs for group, version, kind, runs in index["kinds"]
        }
        self.versions: tuple[str, ...] = tuple(index["versions"])

    def kind(self, group: str, version: str, kind: str, minor: int) -> KindFacts | None:
        """What is known of a kind in Kubernetes 1.``minor``; None if that version does not know it."""
        for first, last, facts in self._kinds.get((group, version, kind), ()):
            if first <= minor <= last:
                return KindFacts(
                    definition=facts["definition"],
                    plural=facts.get("plural", ""),
                    namespaced=facts.get("namespaced", False),
                    subresources=tuple(facts.get("subresources", ())),
                )
        return None

    def kinds(self) -> Mapping[tuple[str, str, str], tuple[int, ...]]:
        """Group, version and kind of all that any version knows → the minor versions that know it."""
        return {
            gvk: tuple(minor for first, last, _ in runs for minor in range(first, last + 1))
            for gvk, runs in self._kinds.items()
        }

    def definition(self, name: str, minor: int) -> Mapping[str, Any] | None:
        """The JSON schema of a definition (``io.k8s.api.core.v1.Pod``) in Kubernetes 1.``minor``."""
        lines = self._member(name.rpartition(".")[0]).get(name.encode(), ())
        for line in lines:
            _, first, last, schema = orjson.loads(line)
            if first <= minor <= last:
                found: Mapping[str, Any] = schema
                return found
        return None

    def field_numbers(self, message: str) -> Mapping[str, tuple[int, str]]:
        """The fields of a protobuf message (``k8s.io.api.core.v1.Pod``): name → number and type.

        A type ends in ``*`` if the field is repeated; ``map<string,string>`` is a map. Numbers hold for all
        versions: protobuf never gives one a second meaning. Empty for an unknown message.
        """
        for line in self._member(_PROTOBUF).get(message.encode(), ()):
            return {field: (number, type) for field, (number, type) in orjson.loads(line)[1].items()}
        return {}

    def _member(self, name: str) -> dict[bytes, list[bytes]]:
        """The lines of a member by their first item."""
        found = self._lines.get(name)
        if found is None:
            found = {}
            start, length = self._members.get(name, (0, 0))
            text = zlib.decompress(self._rest[start : start + length], _GZIP) if length else b""
            for line in text.splitlines():
                found.setdefault(line[2 : line.index(b'"', 2)], []).append(line)
            self._lines[name] = found
        return found


@cache
def store() -> Store:
    """The data file that comes with this package."""
    return Store(_FILE.read_bytes())
