"""The versions of what verdicts read beyond their objects.

A verdict names what it read in words (``Verdict.reads``): ``Namespace NAME``, ``labels NAME`` (of a
Namespace), ``object GROUP-VERSION KIND NAMESPACE NAME``, ``inventory SCOPE GROUP-VERSION KIND``, with ``*``
for what is not said. A word that is not understood has the version of everything, so it
changes with anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sekisho.audit.model import Key, Stamp, key_of
from sekisho.kube.object import Object
from sekisho.kube.owner import owner_of
from sekisho.kube.review import Rules

ANY: Final = "*"


def digest(value: Any) -> str:
    """A short digest of a JSON value; the order of keys does not matter."""
    import orjson

    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def version_of(object: Object) -> str:
    """What changes with the object: the server's uid and resourceVersion, else a digest of all of it."""
    metadata = object.metadata
    uid, version = metadata.get("uid"), metadata.get("resourceVersion")
    return f"{uid}/{version}" if uid and version else digest(object.raw)


class World:
    """Objects, and the versions of what may be read of them; versions are worked out when asked for."""

    def __init__(self, objects: Mapping[Key, Object]) -> None:
        self._objects = objects
        self._versions: dict[Key, str] = {}
        self._reads: dict[str, str] = {}
        self._fresh: dict[Stamp, bool] = {}
        self._kinds: dict[tuple[str, str], list[Key]] | None = None
        self._named: dict[tuple[str, str, str, str], Key] | None = None

    @classmethod
    def of(cls, objects: Iterable[Object]) -> World:
        """The world that consists of these objects."""
        return cls({key_of(object): object for object in objects})

    def version(self, key: Key) -> str:
        """The version of one of its objects."""
        known = self._versions.get(key)
        if known is None:
            known = self._versions[key] = version_of(self._objects[key])
        return known

    def stamp(self, reads: Iterable[str]) -> Stamp:
        """What was read, with the versions of today."""
        return tuple((read, self.read(read)) for read in sorted(reads))

    def fresh(self, stamp: Stamp) -> bool:
        """Whether everything in a stamp still has its version. Stamps are shared, so answers are kept."""
        known = self._fresh.get(stamp)
        if known is None:
            known = self._fresh[stamp] = all(self.read(read) == version for read, version in stamp)
        return known

    def read(self, read: str) -> str:
        """The version of what a word names."""
        known = self._reads.get(read)
        if known is None:
            known = self._reads[read] = self._read(read)
        return known

    def _read(self, read: str) -> str:
        what, *rest = read.split(" ")
        match what, rest:
            case "labels", [name]:
                namespace = self.namespace(name)
                return digest(dict(namespace.labels)) if namespace else ""
            case "Namespace", [name]:
                return self._of("", "Namespace", "", name)
            case "object", [group_version, kind, namespace, name]:
                group = group_version.rpartition("/")[0]
                return self._of(group, kind, namespace.strip(ANY), name)
            case "inventory", [scope, group_version, kind]:
                return self._collection(scope, group_version, kind)
        return self._collection(ANY, ANY, ANY)

    def namespace(self, name: str) -> Object | None:
        """The Namespace of this name, if it is there."""
        key = self._key("", "Namespace", "", name) if name else None
        return self._objects[key] if key else None

    def owner(self, object: Object, rules: Rules) -> str:
        """Whose an object is, empty if nobody is named."""
        namespace = self.namespace(object.namespace)
        return owner_of(object, namespace=namespace, lookup=rules.lookup, key=rules.owner_key)

    def _of(self, group: str, kind: str, namespace: str, name: str) -> str:
        key = self._key(group, kind, namespace, name)
        return self.version(key) if key else ""

    def _key(self, group: str, kind: str, namespace: str, name: str) -> Key | None:
        if self._named is None:
            self._named = {key[:4]: key for key in self._objects}
        return self._named.get((group, kind, namespace, name))

    def _collection(self, scope: str, group_version: str, kind: str) -> str:
        found: list[str] = []
        for (version, name), keys in self._by_kind().items():
            if group_version not in (ANY, version) or kind not in (ANY, name):
                continue
            found += (
                f"{key}{self.version(key)}"
                for key in keys
                if scope == ANY or bool(key.namespace) is (scope == "namespace")
            )
        return hashlib.blake2b("\n".join(sorted(found)).encode(), digest_size=16).hexdigest()

    def _by_kind(self) -> dict[tuple[str, str], list[Key]]:
        if self._kinds is None:
            self._kinds = {}
            for key, object in self._objects.items():
                self._kinds.setdefault((object.api_version, object.kind), []).append(key)
        return self._kinds
