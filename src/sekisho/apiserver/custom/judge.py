"""What is wrong with a custom resource, or with a change of it.

The order is the server's: the schema, the replicas that a scale shows, duplicates in sets and keyed lists
(part of the schema here), and the rules, unless an error of the schema makes them meaningless. On an update,
what was wrong before and has not changed is no error (ratcheting): the nearest place that has an old
counterpart decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sekisho.apiserver.causes import invalid
from sekisho.apiserver.custom.schemas import Read
from sekisho.apiserver.decode import causes_of
from sekisho.apiserver.status import Cause
from sekisho.apiserver.types import Judged, ScalePaths
from sekisho.diag import Diagnostic, ObjectPath, Path
from sekisho.kube.names import label_key
from sekisho.kube.schema import Schema, codes, validate

if TYPE_CHECKING:
    from sekisho.cel.kubernetes.rules import Broken

Raw = Mapping[str, Any]

BLOCKING: Final = frozenset({codes.UNSUPPORTED, codes.MISSING, codes.WRONG_TYPE})
"""Errors after which rules are not asked."""

BLOCKED: Final = Cause(
    reason="FieldValueInvalid",
    message=(
        'Invalid value: "null": some validation rules were not checked because the object was invalid; '
        "correct the existing errors to complete validation"
    ),
    field="<nil>",
)

_TOO: Final = ("Too long", "Too many")
MAX_INT32: Final = 2**31 - 1


def judge(read: Read, scale: ScalePaths | None, new: Raw, old: Raw | None) -> Judged:
    """What is wrong with ``new``, an object with its defaults."""
    problems = [
        row
        for row in validate(dict(new), read.schema)
        if row.code is not codes.UNKNOWN_FIELD and not _was_so(row, read.schema, new, old)
    ]
    causes = list(causes_of(problems))
    causes += _scale_causes(scale, new)
    rules = read.rules()
    warnings = list(_finalizer_warnings(new, old))
    if rules.root is None:
        return Judged(causes, warnings)
    if any(row.code in BLOCKING or _is_too(row) for row in problems):
        return Judged([*causes, BLOCKED], warnings)
    from sekisho.cel.kubernetes.rules import validate_rules

    for broken in validate_rules(rules, new, old):
        if broken.warning:
            warnings.append(broken.message)
        else:
            causes.append(_cause(broken))
    return Judged(causes, warnings)


def _is_too(row: Diagnostic) -> bool:
    return row.code is codes.OUT_OF_BOUNDS and any(f": {words}: " in row.message for words in _TOO)


def _cause(broken: Broken) -> Cause:
    from sekisho.cel.kubernetes.rules.codes import BROKEN

    reason = broken.rule.written.reason if broken.rule and broken.code is BROKEN else ""
    return Cause(reason=reason or "FieldValueInvalid", message=broken.detail, field=broken.field or "<nil>")


def _was_so(row: Diagnostic, schema: Schema, new: Raw, old: Raw | None) -> bool:
    """Whether a problem is about something that is as it was before."""
    if old is None or not isinstance(row.at, ObjectPath):
        return False
    # What is missing is the object's fault that it is missing from.
    path: Path = row.at.path[:-1] if row.code is codes.MISSING else row.at.path
    after, before, node = new, old, schema.resolved()
    for step in path:
        found = _step(after, before, node, step)
        if found is None:
            break
        after, before = found
        child = node.child(step)
        node = child if child is not None else Schema()
    return bool(after == before)


def _step(after: Any, before: Any, node: Schema, step: str | int) -> tuple[Any, Any] | None:
    """The values one step below, None where no old value corresponds to the new one."""
    if isinstance(step, str):
        if not isinstance(after, Mapping) or not isinstance(before, Mapping) or step not in before:
            return None
        return after.get(step), before[step]
    keys = node.merging.list_keys if node.merging.list_type == "map" else ()
    if not keys or not isinstance(after, list) or not isinstance(before, list) or step >= len(after):
        return None
    item = after[step]
    if not isinstance(item, Mapping):
        return None
    for other in before:
        if isinstance(other, Mapping) and all(other.get(key) == item.get(key) for key in keys):
            return item, other
    return None


def _scale_causes(scale: ScalePaths | None, new: Raw) -> Iterator[Cause]:
    for path in (scale.spec, scale.status) if scale else ():
        value: Any = new
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        at = "." + ".".join(path)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            kind = type(value).__name__
            yield invalid(at, 0, f"{at} accessor error: {value} is of the type {kind}, expected int64")
        elif value < 0:
            yield invalid(at, value, "should be a non-negative integer")
        elif value > MAX_INT32:
            yield invalid(at, value, f"should be less than or equal to {MAX_INT32}")


_OWN: Final = frozenset({"orphan", "foregroundDeletion", "kubernetes"})


def _finalizer_warnings(new: Raw, old: Raw | None) -> Iterable[str]:
    """What is said of finalizers that others may come to use too."""
    before = set((old or {}).get("metadata", {}).get("finalizers") or ())
    for name in sorted(set(new["metadata"].get("finalizers") or ()) - before):
        at = f'metadata.finalizers: "{name}": '
        yield from (at + wrong for wrong in label_key(name))
        if "/" not in name and name not in _OWN:
            path = " including a path (/)" if "." in name else ""
            tail = "to avoid accidental conflicts with other finalizer writers"
            yield f"{at}prefer a domain-qualified finalizer name{path} {tail}"
