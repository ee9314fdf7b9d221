"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386): made from two values, and applied to one.

Values are plain JSON. What is given is never changed; the result shares with it all that the patch does not
touch. Numbers compare as JSON numbers (1 equals 1.0), booleans are no numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Limit
from sekisho.kube import codes

OPERATIONS: Final = Limit("a patch", 10_000, "operations", "the API server's own limit on JSON patches")
COPIED: Final = Limit(
    "a patch's copies", 1_000_000, "values", "each copy may double the object; two dozen fill any memory"
)
DEPTH: Final = Limit("nesting", 200, "levels", "deeper values overflow the stack of those who read them")

Operation = Mapping[str, Any]
"""One operation of a JSON patch: ``op``, ``path``, and ``value`` or ``from``."""

_INDEX: Final = r"0|[1-9][0-9]*"
_BAD_ESCAPE: Final = r"~(?![01])"


def equal(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same."""
    if left is right:
        return True
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(equal(value, right[key]) for key, value in left.items())
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def pointer(path: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def parse_pointer(text: str) -> tuple[str, ...]:
    """The steps of a JSON pointer; raises DiagnosticError (KUB030)."""
    if text and not text.startswith("/"):
        raise _error(codes.BAD_PATCH, f'the path "{text}" does not start with "/"')
    if re.search(_BAD_ESCAPE, text):
        raise _error(codes.BAD_PATCH, f'the path "{text}" has a "~" that is neither "~0" nor "~1"')
    steps = text.split("/")[1:]
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def create(old: Any, new: Any) -> list[dict[str, Any]]:
    """The JSON patch that makes ``new`` of ``old``."""
    _check_depth(old)
    _check_depth(new)
    return list(_difference(old, new, ()))


def _difference(old: Any, new: Any, path: tuple[str | int, ...]) -> Iterator[dict[str, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old:
            if key not in new:
                yield {"op": "remove", "path": pointer((*path, key))}
        for key, value in new.items():
            if key in old:
                yield from _difference(old[key], value, (*path, key))
            else:
                yield {"op": "add", "path": pointer((*path, key)), "value": value}
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_difference(old, new, path)
    elif type(old) is not type(new) or not equal(old, new):
        yield {"op": "replace", "path": pointer(path), "value": new}


def _list_difference(old: list[Any], new: list[Any], path: tuple[str | int, ...]) -> Iterator[dict[str, Any]]:
    """Equal items at both ends stay; those between are changed in place, then removed or added."""
    start = 0
    while start < min(len(old), len(new)) and _same(old[start], new[start]):
        start += 1
    tail = 0
    while tail < min(len(old), len(new)) - start and _same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    common = min(len(old), len(new)) - tail
    for index in range(start, common):
        yield from _difference(old[index], new[index], (*path, index))
    for index in range(len(old) - tail - 1, common - 1, -1):
        yield {"op": "remove", "path": pointer((*path, index))}
    for index in range(common, len(new) - tail):
        yield {"op": "add", "path": pointer((*path, index)), "value": new[index]}


def _same(left: Any, right: Any) -> bool:
    return next(_difference(left, right, ()), None) is None


def apply(value: Any, operations: Sequence[Operation]) -> Any:
    """The value after these operations.

    Raises DiagnosticError: KUB030 for a malformed patch, KUB031 where it does not fit the value, KUB032 for
    a failed test. Nothing is applied then.
    """
    if OPERATIONS.exceeded_by(len(operations)):
        raise _error(codes.BAD_PATCH, str(OPERATIONS))
    _check_depth(value)
    patching = _Patching(value)
    for index, operation in enumerate(operations):
        patching.perform(operation, index)
    _check_depth(patching.root)
    return patching.root


class _Patching:
    """One application. Containers are copied when they are first changed, and only then."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self._own: dict[int, Any] = {}
        self._copied = 0

    def perform(self, operation: Operation, index: int) -> None:
        raw: Any = operation
        name = raw.get("op") if isinstance(raw, Mapping) else None
        perform = _OPERATIONS.get(name) if isinstance(name, str) else None
        if perform is None:
            raise _error(codes.BAD_PATCH, f"operation {index} has the unknown op {name!r}")
        try:
            perform(self, operation)
        except DiagnosticError as error:
            problem = error.diagnostics[0]
            message = f"operation {index} ({name}): {problem.message}"
            raise _error(problem.code, message) from None

    def add(self, operation: Operation) -> None:
        self._put(_steps(operation, "path"), _value(operation))

    def remove(self, operation: Operation) -> None:
        self._take(_steps(operation, "path"))

    def replace(self, operation: Operation) -> None:
        steps, value = _steps(operation, "path"), _value(operation)
        if not steps:
            self.root = value
            return
        parent = self._parent(steps)
        parent[_existing(parent, steps)] = value

    def move(self, operation: Operation) -> None:
        source, target = _steps(operation, "from"), _steps(operation, "path")
        if source == target[: len(source)] and source != target:
            raise _error(codes.PATCH_FAILED, "a value cannot be moved into itself")
        self._put(target, self._take(source))

    def copy(self, operation: Operation) -> None:
        source, target = _steps(operation, "from"), _steps(operation, "path")
        self._put(target, self._copy(_look_up(self.root, source), DEPTH.value))

    def test(self, operation: Operation) -> None:
        steps, value = _steps(operation, "path"), _value(operation)
        if not equal(_look_up(self.root, steps), value):
            message = f"testing value {pointer(steps)} failed"
            raise _error(codes.PATCH_TEST_FAILED, message)

    def _put(self, steps: tuple[str, ...], value: Any) -> None:
        if not steps:
            self.root = value
            return
        parent = self._parent(steps)
        if isinstance(parent, dict):
            parent[steps[-1]] = value
            return
        at = len(parent) if steps[-1] == "-" else _index(steps)
        if at > len(parent):
            raise _missing(steps)
        parent.insert(at, value)

    def _take(self, steps: tuple[str, ...]) -> Any:
        if not steps:
            raise _error(codes.PATCH_FAILED, "the whole document cannot be removed")
        parent = self._parent(steps)
        return parent.pop(_existing(parent, steps))

    def _parent(self, steps: tuple[str, ...]) -> Any:
        """The container of the last step, ours to change, like all on the way to it."""
        self.root = here = self._owned(self.root, steps[:0])
        for at in range(1, len(steps)):
            step = _existing(here, steps[:at])
            here[step] = here = self._owned(here[step], steps[:at])
        return here

    def _owned(self, container: Any, steps: tuple[str, ...]) -> Any:
        if id(container) in self._own:
            return container
        if not isinstance(container, dict | list):
            raise _error(codes.PATCH_FAILED, f'"{pointer(steps)}" is neither an object nor an array')
        copy = container.copy()
        # Kept by identity and alive, so that no other container can come to have the same one.
        self._own[id(copy)] = copy
        return copy

    def _copy(self, value: Any, depth: int) -> Any:
        self._copied += 1
        if COPIED.exceeded_by(self._copied):
            raise _error(codes.BAD_PATCH, str(COPIED))
        if depth <= 0:
            raise _error(codes.BAD_PATCH, str(DEPTH))
        if isinstance(value, dict):
            return {key: self._copy(item, depth - 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self._copy(item, depth - 1) for item in value]
        return value


_OPERATIONS: Final[Mapping[str, Callable[[_Patching, Operation], None]]] = {
    "add": _Patching.add,
    "remove": _Patching.remove,
    "replace": _Patching.replace,
    "move": _Patching.move,
    "copy": _Patching.copy,
    "test": _Patching.test,
}


def _steps(operation: Operation, field: str) -> tuple[str, ...]:
    text = operation.get(field)
    if not isinstance(text, str):
        raise _error(codes.BAD_PATCH, f'it needs a string "{field}"')
    return parse_pointer(text)


def _value(operation: Operation) -> Any:
    if "value" not in operation:
        raise _error(codes.BAD_PATCH, 'it needs a "value"')
    _check_depth(operation["value"])
    return operation["value"]


def _look_up(value: Any, steps: tuple[str, ...]) -> Any:
    for at in range(1, len(steps) + 1):
        value = value[_existing(value, steps[:at])]
    return value


def _existing(container: Any, steps: tuple[str, ...]) -> Any:
    """The last step as a key or an index that the container has."""
    if isinstance(container, dict):
        if steps[-1] in container:
            return steps[-1]
    elif isinstance(container, list):
        at = _index(steps)
        if at < len(container):
            return at
    raise _missing(steps)


def _index(steps: tuple[str, ...]) -> int:
    text = steps[-1]
    if not re.fullmatch(_INDEX, text) or len(text) > 9:
        raise _error(codes.PATCH_FAILED, f'"{pointer(steps)}" needs an index into an array')
    return int(text)


def _missing(steps: tuple[str, ...]) -> DiagnosticError:
    return _error(codes.PATCH_FAILED, f'the object has no "{pointer(steps)}"')


def merge(value: Any, patch: Any) -> Any:
    """The value after a merge patch: objects merge, null removes, everything else replaces."""
    _check_depth(value)
    _check_depth(patch)
    return _merged(value, patch)


def _merged(value: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for key, item in patch.items():
        if item is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), item)
    return result


def create_merge(old: Any, new: Any) -> Any:
    """The merge patch that makes ``new`` of ``old``. Nulls inside ``new`` get lost: it cannot say them."""
    _check_depth(old)
    _check_depth(new)
    return _merge_difference(old, new)


def _merge_difference(old: Any, new: Any) -> Any:
    if not isinstance(new, dict) or not isinstance(old, dict):
        return new
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            patch[key] = value
        elif not _same(old[key], value):
            patch[key] = _merge_difference(old[key], value)
    return patch


def _check_depth(value: Any) -> None:
    """Refuse what is nested too deeply, before recursion meets it.

    What stands in a level several times is looked at once: values may be shared as often as one likes.
    """
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEPTH.value):
        if not level:
            return
        below = {
            id(item): item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        }
        level = list(below.values())
    raise _error(codes.BAD_PATCH, str(DEPTH))


def _error(code: Code, message: str) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=code, message=message))
