"""The paths of a value by its shape, what two values differ in, and what of a value is not of its shape.

Semantics: structured-merge-diff ``typed`` (``ToFieldSet``, ``Compare``, ``Validate``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from sekisho.apiserver.fields.sets import Fields, Path, element_of_keys, element_of_value, element_text
from sekisho.apiserver.fields.shape import ANY, LIST, MAP, SCALAR, Shape
from sekisho.lang.golang.gotext import quote
from sekisho.lang.golang.govalue import plain, syntax, type_name


class Missing:
    """The type of ``MISSING``: no value, as opposed to null."""


MISSING: Final = Missing()


class NoElement(ValueError):
    """An item of a list that cannot be told from others; the text says why."""


class Unfit(ValueError):
    """A value that is not of its shape; the text lists every place."""


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal: numbers by their value, and a boolean is no number."""
    if isinstance(one, (dict, Mapping)):
        return (
            isinstance(other, Mapping)
            and len(one) == len(other)
            and all(key in other and same(value, other[key]) for key, value in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


# Items of lists.


def item_element(item: Any, shape: Shape) -> str:
    """The element of an item of a list that is not atomic. Raises NoElement."""
    if shape.keys:
        return _keyed(item, shape)
    if isinstance(item, Mapping):
        raise NoElement("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise NoElement("not supported: associative list with lists as elements")
    if item is None:
        raise NoElement("associative list without keys has an element that's an explicit null")
    return element_of_value(item)


def _keyed(item: Any, shape: Shape) -> str:
    if item is None:
        raise NoElement("associative list with keys may not have a null element")
    if not isinstance(item, Mapping):
        raise NoElement("associative list with keys may not have non-map elements")
    keys: dict[str, Any] = {}
    for name in shape.keys:
        if name in item:
            keys[name] = item[name]
        else:
            default = shape.item.default_of(name)
            if default is None:
                raise NoElement(
                    f"associative list with keys has an element that omits key field {quote(name)} "
                    "(and doesn't have default value)"
                )
            keys[name] = default
    return element_of_keys(keys)


def elements(items: list[Any] | None, shape: Shape) -> list[str]:
    """The elements of all items of a list that has been validated."""
    return [item_element(item, shape) for item in items or ()]


# Paths.


def fields_of(value: Any, shape: Shape) -> Fields:
    """The paths of all that a value has."""
    found: set[Path] = set()
    _paths(value, shape, (), found)
    found.discard(())
    return frozenset(found)


def _paths(value: Any, shape: Shape, path: Path, found: set[Path]) -> None:
    kind = shape.of(value)
    if kind == SCALAR:
        found.add(path)
    elif kind == LIST:
        if shape.atomic_list:
            found.add(path)
        elif isinstance(value, list):
            _item_paths(value, shape, path, found)
    elif shape.atomic_map:
        found.add(path)
    elif isinstance(value, (dict, Mapping)):
        for name, inner in value.items():
            here = (*path, f"f:{name}")
            _paths(inner, shape.field(name), here, found)
            if inner is None or inner == {} or not shape.named(name):
                found.add(here)


def _item_paths(value: list[Any], shape: Shape, path: Path, found: set[Path]) -> None:
    """Of items with the same keys only that they are there."""
    rows = elements(value, shape)
    for element, item in zip(rows, value, strict=True):
        here = (*path, element)
        if len(rows) == 1 or rows.count(element) == 1:
            _paths(item, shape.item, here, found)
        found.add(here)


# Differences.


class Comparison(NamedTuple):
    """What a change does, as paths. None of them is in two of the sets."""

    added: Fields
    modified: Fields
    removed: Fields

    def changed(self) -> Fields:
        """What the new value has that the old one has not."""
        return self.added | self.modified


def compare(old: Any, new: Any, shape: Shape) -> Comparison:
    """How two values differ; a part that is new, or gone, is told with all of its parts."""
    walk = _Comparing()
    walk.compare(old, new, shape, ())
    for rows in (walk.added, walk.modified, walk.removed):
        rows.discard(())
    return Comparison(frozenset(walk.added), frozenset(walk.modified), frozenset(walk.removed))


class _Comparing:
    __slots__ = ("added", "modified", "removed")

    def __init__(self) -> None:
        self.added: set[Path] = set()
        self.modified: set[Path] = set()
        self.removed: set[Path] = set()

    def compare(self, old: Any, new: Any, shape: Shape, path: Path) -> None:
        if old is new:
            return
        before, after = shape.of(old), shape.of(new)
        if new is MISSING:
            leaf = self._as(before, old, new, shape, path)
        else:
            if old is not MISSING and before != after:
                self._as(before, old, new, shape, path)
            leaf = self._as(after, old, new, shape, path)
        if leaf:
            return
        if old is MISSING:
            self.added.add(path)
        elif new is MISSING:
            self.removed.add(path)

    def _as(self, kind: str, old: Any, new: Any, shape: Shape, path: Path) -> bool:
        """Compare as values of one kind; whether they are one leaf."""
        if kind == LIST:
            lists = [value if isinstance(value, list) else None for value in (old, new)]
            if not shape.atomic_list and any(lists):
                self._items(lists[0] or [], lists[1] or [], shape, path)
                return False
        elif kind in (MAP, ANY):
            maps = [value if isinstance(value, (dict, Mapping)) else None for value in (old, new)]
            if not shape.atomic_map and any(maps):
                self._fields(maps[0] or {}, maps[1] or {}, shape, path)
                return False
        self._leaf(old, new, path)
        return True

    def _leaf(self, old: Any, new: Any, path: Path) -> None:
        if old is MISSING:
            self.added.add(path)
        elif new is MISSING:
            self.removed.add(path)
        elif not same(old, new):
            self.modified.add(path)

    def _fields(self, old: Mapping[str, Any], new: Mapping[str, Any], shape: Shape, path: Path) -> None:
        for name, value in old.items():
            self.compare(value, new.get(name, MISSING), shape.field(name), (*path, f"f:{name}"))
        for name, value in new.items():
            if name not in old:
                self.compare(MISSING, value, shape.field(name), (*path, f"f:{name}"))

    def _items(self, old: list[Any], new: list[Any], shape: Shape, path: Path) -> None:
        before, after = _grouped(old, shape), _grouped(new, shape)
        for element in {**before, **after}:
            here = (*path, element)
            one, other = before.get(element, []), after.get(element, [])
            if len(one) <= 1 and len(other) <= 1:
                left, right = (one or [MISSING])[0], (other or [MISSING])[0]
                self.compare(left, right, shape.item, here)
            elif len(one) > 1 and len(other) > 1:
                if not same(one, other):
                    self.modified.add(here)
            elif len(one) > 1:
                if other:
                    self.compare(MISSING, other[0], shape.item, here)
                self.removed.add(here)
            else:
                if one:
                    self.compare(one[0], MISSING, shape.item, here)
                self.added.add(here)


def _grouped(items: list[Any], shape: Shape) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for element, item in zip(elements(items, shape), items, strict=True):
        found.setdefault(element, []).append(item)
    return found


# What is not of its shape.

_Kinds = Literal["numeric", "string", "boolean"]


def check(value: Any, shape: Shape, *, duplicates: bool = False) -> None:
    """Raises Unfit for a value that is not of its shape. ``duplicates``: items may have the same keys."""
    problems = list(_problems(value, shape, duplicates=duplicates))
    if len(problems) == 1:
        raise Unfit(problems[0])
    if problems:
        raise Unfit("\n".join(["errors:", *(f"  {row}" for row in problems)]))


def _problems(value: Any, shape: Shape, *, duplicates: bool, at: str = "") -> Iterator[str]:
    kind = shape.of(value)
    if kind == SCALAR:
        why = _scalar_problem(value, shape)
        if why:
            yield _told(at, why)
    elif kind == LIST:
        if value is not None and not isinstance(value, list):
            yield _told(at, f"expected list, got &{{{plain(value)}}}")
        else:
            yield from _item_problems(value or [], shape, duplicates=duplicates, at=at)
    elif value is not None and not isinstance(value, (dict, Mapping)):
        yield _told(at, f"expected map, got &{{{plain(value)}}}")
    else:
        for name, inner in (value or {}).items():
            here = f"{at}.{name}"
            if shape.closed and not shape.named(name):
                yield _told(here, "field not declared in schema")
                return
            yield from _problems(inner, shape.field(name), duplicates=duplicates, at=here)


def _item_problems(items: list[Any], shape: Shape, *, duplicates: bool, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if shape.atomic_list:
            here = f"[{index}]"
        else:
            try:
                element = item_element(item, shape)
            except NoElement as error:
                yield _told(at, f"element {index}: {error}")
                return
            here = element_text(element)
            if element in seen and not duplicates:
                yield _told(at, f"duplicate entries for key {here}")
            seen.add(element)
        yield from _problems(item, shape.item, duplicates=duplicates, at=at + here)


def _told(at: str, why: str) -> str:
    return f"{at}: {why}" if at else why


def _scalar_problem(value: Any, shape: Shape) -> str:
    if value is None:
        return ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match shape.scalar:
        case "numeric":
            return "" if number else f"expected numeric (int or float), got {type_name(value)}"
        case "string":
            wrong = f"&value.valueUnstructured{{Value:{syntax(value)}}}"
            return "" if isinstance(value, str) else f"expected string, got {wrong}"
        case "boolean":
            return "" if isinstance(value, bool) else f"expected boolean, got &{{{plain(value)}}}"
    return f"expected any scalar, got &{{{plain(value)}}}" if isinstance(value, Mapping | list) else ""
