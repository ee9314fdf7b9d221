"""The JSONPath of printer columns and selectable fields: ``.spec.replicas``,
``.status.conditions[?(@.type=="Ready")].status``.

The part of client-go's ``util/jsonpath`` that the server allows: paths that begin with a dot, with fields,
indices, slices, wildcards, unions of fields, recursive descent and filters. What is missing in an object
gives no result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from sekisho.diag import Limit

Step = Callable[[Any], Iterator[Any]]
Path = tuple[Step, ...]

LENGTH: Final = Limit("a JSONPath", 4_096, "characters", "a longer one is no column of a table")
RESULTS: Final = 1_000
"""Results of one path that are looked at: a table shows the first one."""


class JsonPathError(ValueError):
    """A path is malformed."""


def find(path: str, value: Any) -> list[Any]:
    """What a path finds in a value, in order. Raises JsonPathError."""
    found = [value]
    for step in parse(path):
        found = [item for base in found for item in step(base)][:RESULTS]
    return found


_FIELD: Final = re.compile(r"[^.\[\]{}'\"\s()]+")
_INDEX: Final = re.compile(r"-?\d+")
_SLICE: Final = re.compile(r"(-?\d*):(-?\d*)(?::(-?\d*))?")
_FILTER: Final = re.compile(r"\?\(\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*\)", re.DOTALL)
_EXISTS: Final = re.compile(r"\?\(\s*(@[^=!<>]*?)\s*\)", re.DOTALL)


@lru_cache(maxsize=1_024)
def parse(path: str) -> Path:
    """The steps of a path. Raises JsonPathError."""
    if LENGTH.exceeded_by(len(path)):
        raise JsonPathError(str(LENGTH))
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        if text.startswith("..", at):
            steps.append(_descend)
            at += 1
        if text[at] == ".":
            at += 1
            if at < len(text) and text[at] == "[":
                continue
            found = _FIELD.match(text.replace("\\.", "\0\0"), at)
            if found is None:
                if at == len(text):
                    break
                raise JsonPathError(f"unexpected {text[at]!r} in {path!r}")
            name = text[at : found.end()].replace("\\.", ".")
            steps.append(_every if name == "*" else _field(name))
            at = found.end()
        elif text[at] == "[":
            inner, at = _bracket(text, at, path)
            steps.append(_subscript(inner, path))
        else:
            raise JsonPathError(f"unexpected {text[at]!r} in {path!r}")
    return tuple(steps)


def _bracket(text: str, start: int, path: str) -> tuple[str, int]:
    """What stands between a bracket and its end, and where the path goes on."""
    depth, quote = 0, ""
    for index in range(start, len(text)):
        letter = text[index]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "[":
            depth += 1
        elif letter == "]":
            depth -= 1
            if depth == 0:
                return text[start + 1 : index].strip(), index + 1
    raise JsonPathError(f"unterminated array in {path!r}")


def _subscript(inner: str, path: str) -> Step:
    if inner == "*":
        return _every
    if _INDEX.fullmatch(inner):
        return _index(int(inner))
    if (found := _SLICE.fullmatch(inner)) is not None:
        return _slice(*(int(part) if part else None for part in found.groups()))
    if (found := _FILTER.fullmatch(inner)) is not None:
        return _filter(_operand(found[1]), found[2], _operand(found[3]))
    if (found := _EXISTS.fullmatch(inner)) is not None:
        wanted = parse(found[1].removeprefix("@"))
        return lambda value: (item for item in _items(value) if _walk(wanted, item))
    names = [part.strip() for part in inner.split(",")]
    if all(len(name) > 1 and name[0] == name[-1] and name[0] in "'\"" for name in names):
        fields = [_field(name[1:-1]) for name in names]
        return lambda value: (item for step in fields for item in step(value))
    raise JsonPathError(f"invalid array index {inner} in {path!r}")


def _walk(path: Path, value: Any) -> list[Any]:
    found = [value]
    for step in path:
        found = [item for base in found for item in step(base)]
    return found


def _field(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, Mapping) and name in value:
            yield value[name]

    return step


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _every(value: Any) -> Iterator[Any]:
    return _items(value)


def _descend(value: Any) -> Iterator[Any]:
    """A value and all that is in it."""
    yield value
    for item in _items(value):
        if isinstance(item, Mapping | list):
            yield from _descend(item)


def _index(index: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _slice(start: int | None = None, end: int | None = None, by: int | None = None) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value[slice(start, end, by or None)]

    return step


Operand = Callable[[Any], list[Any]]


def _operand(text: str) -> Operand:
    """Either side of a comparison: a path from the item (``@``), or a literal."""
    if text.startswith("@"):
        path = parse(text[1:])
        return lambda value: _walk(path, value)
    literal = _literal(text)
    return lambda _: [literal]


def _literal(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    raise JsonPathError(f"unrecognized literal {text!r}")


_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _filter(left: Operand, sign: str, right: Operand) -> Step:
    compare = _COMPARE[sign]

    def step(value: Any) -> Iterator[Any]:
        for item in _items(value):
            a, b = left(item), right(item)
            try:
                if (
                    len(a) == len(b) == 1
                    and isinstance(a[0], bool) is isinstance(b[0], bool)
                    and compare(a[0], b[0])
                ):
                    yield item
            except TypeError:
                continue

    return step
