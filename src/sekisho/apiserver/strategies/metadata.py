"""The rules of metadata, which are the same for all kinds: names, labels, finalizers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sekisho.apiserver.causes import invalid
from sekisho.apiserver.status import Cause
from sekisho.apiserver.types import ResourceType
from sekisho.kube.names import dns_1035_label, generate_name_check, label_key, label_value, name_check


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
        # Up to 1.33 the name of a Service begins with a letter.
        check = dns_1035_label if type.key == ("", "services") else name_check(type.gvk)
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
    for key in metadata.get("annotations") or {}:
        for text in label_key(key.lower()):
            yield invalid("metadata.annotations", key, text)
    yield from _finalizers(metadata)
    yield from _owners(metadata)
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


STANDARD_FINALIZERS: Final = ("kubernetes", "foregroundDeletion", "orphan")


def _finalizers(metadata: Mapping[str, Any]) -> Iterator[Cause]:
    names = metadata.get("finalizers") or ()
    for name in names:
        for text in label_key(name):
            yield invalid("metadata.finalizers", name, text.replace("a valid label key", "a qualified name"))
    for index, name in enumerate(names):
        if "/" not in name and name not in STANDARD_FINALIZERS and not label_key(name):
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid(f"metadata.finalizers[{index}]", name, detail)


def _owners(metadata: Mapping[str, Any]) -> Iterator[Cause]:
    controllers = []
    for row in (one or {} for one in metadata.get("ownerReferences") or ()):
        for name, field in (("apiVersion", "apiVersion"), ("kind", "kind"), ("name", "name"), ("uid", "uid")):
            if not row.get(name):
                what = "version" if name == "apiVersion" else name
                yield invalid(
                    f"metadata.ownerReferences.{field}", row.get(name) or "", f"{what} must not be empty"
                )
        if row.get("controller") is True:
            controllers.append(f"{row.get('kind', '')}/{row.get('name', '')}")
    if len(controllers) > 1:
        detail = (
            'Only one reference can have Controller set to true. Found "true" in references for '
            f"{controllers[0]} and {controllers[1]}"
        )
        yield invalid("metadata.ownerReferences", metadata["ownerReferences"], detail)
