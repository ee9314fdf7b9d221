"""What is kept of an object between two passes: its identity as it is, all of it packed.

Twenty thousand objects as parsed JSON are several hundred megabytes; packed they are a tenth of that, and
only those that are judged again are unpacked.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.kube.owner import OWNER_KEY

LEVEL: Final = 1
"""Of compression: the fastest. Higher ones save a tenth more and take three times as long."""

NAMESPACE: Final = GVK("", "v1", "Namespace")


class Lean(dict[str, Any]):
    """An object's JSON with ``apiVersion``, ``kind`` and what identifies it; ``unpacked`` gives all of it."""

    __slots__ = ("_packed",)

    def __init__(self, value: Mapping[str, Any], packed: bytes) -> None:
        super().__init__(value)
        self._packed = packed

    def unpacked(self) -> dict[str, Any]:
        """The whole object, new each time."""
        import orjson

        value = orjson.loads(zlib.decompress(self._packed))
        assert isinstance(value, dict), "packed was an object"
        return value


def lean(owner_key: str = OWNER_KEY) -> Callable[[dict[str, Any]], Lean]:
    """How objects are packed, for an informer; the label ``owner_key`` stays readable, and a Namespace's
    all.
    """
    import orjson

    def transform(raw: dict[str, Any]) -> Lean:
        metadata = raw.get("metadata") or {}
        kept = {name: metadata[name] for name in ("name", "uid", "resourceVersion") if name in metadata}
        if namespace := metadata.get("namespace"):
            kept["namespace"] = sys.intern(str(namespace))
        labels = metadata.get("labels")
        if isinstance(labels, dict) and labels:
            every = raw.get("kind") == NAMESPACE.kind
            found = labels if every else {key: labels[key] for key in (owner_key,) if key in labels}
            if found:
                kept["labels"] = found
        controllers = [row for row in metadata.get("ownerReferences") or () if row.get("controller") is True]
        if controllers:
            kept["ownerReferences"] = controllers
        head = {"apiVersion": sys.intern(str(raw["apiVersion"])), "kind": sys.intern(str(raw["kind"]))}
        return Lean({**head, "metadata": kept}, zlib.compress(orjson.dumps(raw), LEVEL))

    return transform


def whole(object: Object) -> Object:
    """All of an object; one that is not packed is itself."""
    raw = object.raw
    return Object(raw.unpacked(), object.origin) if isinstance(raw, Lean) else object
