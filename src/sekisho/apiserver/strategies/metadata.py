"""The rules of metadata, which are the same for all kinds: names, labels, finalizers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sekisho.apiserver.causes import invalid
from sekisho.apiserver.status import Cause
from sekisho.apiserver.types import ResourceType
from sekisho.kube.names import generate_name_check, label_key, label_value, name_check


def metadata_causes(
    type: ResourceType, new: Mapping[str, Any], old: Mapping[str, Any] | None
) -> Iterable[Cause]:
    """What is wrong with the metadata of an object, or with changing it."""
    metadata = new["metadata"]
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        yield Cause(
            reason="FieldValueRequired",
            message="Required value: name or generateName is required",
            field="metadata.name",
        )
        return
    if old is None:
        check = name_check(type.gvk)
        base = metadata.get("generateName")
        if isinstance(base, str) and base:
            for text in generate_name_check(type.gvk)(base):
                yield invalid("metadata.generateName", base, text)
        for text in check(name):
            yield invalid("metadata.name", name, text)
    for key, value in (metadata.get("labels") or {}).items():
        for text in label_key(key):
            yield invalid("metadata.labels", key, text)
        for text in label_value(value) if isinstance(value, str) else ():
            yield invalid("metadata.labels", value, text)
    if old is not None and old["metadata"].get("deletionTimestamp"):
        before = old["metadata"].get("finalizers") or []
        added = [row for row in metadata.get("finalizers") or [] if row not in before]
        if added:
            shown = ", ".join(f'"{row}"' for row in added)
            yield Cause(
                reason="FieldValueForbidden",
                message=(
                    "Forbidden: no new finalizers can be added if the object is being deleted, found new "
                    f"finalizers []string{{{shown}}}"
                ),
                field="metadata.finalizers",
            )
