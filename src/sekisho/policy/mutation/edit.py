"""Setting what a location names, in a value that stays as it is: a changed copy shares all unchanged parts.

Missing parents are made, a list's item with its key; none are for ``*``. Nothing is made where nothing is set
in the end: a path test that fails leaves no trace, nor does pruning a list that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from sekisho.diag import Path
from sekisho.kube.patch import equal
from sekisho.kube.schema import ABSENT
from sekisho.policy.mutation.location import Field, Item, Location
from sekisho.policy.mutation.pathtests import PathTests


class EditError(Exception):
    """A location that does not fit the value. ``path`` is the place where they part."""

    def __init__(self, message: str, path: Path, help: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.help = help


class SetError(Exception):
    """What a setter raises where it cannot set; the editor knows the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a setter may know of the object and of who asks."""

    name: str = ""
    namespace: str = ""
    username: str = ""


class Setter(Protocol):
    """What a mutator puts at its location."""

    def value(self, old: Any, context: Context) -> Any:
        """The new value of a field; ``old`` is ABSENT where there is none, and so is the result to leave it.

        Raises SetError.
        """

    def item(self, context: Context) -> Mapping[str, Any]:
        """The item of a list that is set as a whole; raises SetError."""


class Edit(NamedTuple):
    """One field that was set. ``old`` is ABSENT where there was none."""

    path: Path
    old: Any
    new: Any


class Editor:
    """One application of one mutator to one object; what it set is in ``edits``.

    ``charge`` is called for every item of a list that is gone into, and may raise.
    """

    def __init__(
        self,
        location: Location,
        tests: PathTests,
        setter: Setter,
        context: Context,
        charge: Callable[[], None],
    ) -> None:
        self._steps = location.steps
        self._last = len(location.steps) - 1
        self._tests = tests
        self._setter = setter
        self._context = context
        self._charge = charge
        self.edits: list[Edit] = []

    def apply(self, value: Any) -> Any:
        """The changed value, or the same one if nothing is to be changed; raises EditError."""
        return self._step(value, 0, ())

    def _step(self, current: Any, depth: int, path: Path) -> Any:
        step = self._steps[depth]
        if depth and isinstance(self._steps[depth - 1], Item):
            self._charge()
        if isinstance(step, Field):
            return self._field(current, step, depth, path)
        if not isinstance(current, list):
            raise EditError(_mismatch("List", step, current), path)
        if depth == self._last:
            return self._set_item(current, step, path)
        if step.every:
            return self._every_item(current, depth, path)
        return self._items(current, step, depth, path)

    def _field(self, current: Any, step: Field, depth: int, path: Path) -> Any:
        if not isinstance(current, dict):
            help = "name an item of the list, or every one: [name: *]" if isinstance(current, list) else ""
            raise EditError(_mismatch("object", step, current), path, help)
        old = current.get(step.name, ABSENT)
        here = (*path, step.name)
        if not self._tests.pass_(depth, exists=old is not ABSENT):
            return current
        if depth < self._last:
            child = self._container(depth + 1) if old is ABSENT else old
            new = self._step(child, depth + 1, here)
            return current if new is child else {**current, step.name: new}
        try:
            new = self._setter.value(old, self._context)
        except SetError as error:
            raise EditError(str(error), here) from None
        if new is ABSENT or (old is not ABSENT and equal(old, new)):
            return current
        self.edits.append(Edit(here, old, new))
        return {**current, step.name: new}

    def _container(self, depth: int) -> Any:
        """What the step at this depth is a step into, empty."""
        return {} if isinstance(self._steps[depth], Field) else []

    def _every_item(self, current: list[Any], depth: int, path: Path) -> list[Any]:
        if not self._tests.pass_(depth, exists=True):
            return current
        new = [self._step(item, depth + 1, (*path, index)) for index, item in enumerate(current)]
        return current if all(map(_is, current, new)) else new

    def _items(self, current: list[Any], step: Item, depth: int, path: Path) -> list[Any]:
        found = [index for index, item in enumerate(current) if _has_key(item, step)]
        if not self._tests.pass_(depth, exists=bool(found)):
            return current
        if not found:
            made = {step.key: step.value}
            item = self._step(made, depth + 1, (*path, len(current)))
            return current if item is made else [*current, item]
        new = current.copy()
        for index in found:
            new[index] = self._step(current[index], depth + 1, (*path, index))
        return current if all(map(_is, current, new)) else new

    def _set_item(self, current: list[Any], step: Item, path: Path) -> list[Any]:
        depth = self._last
        try:
            item = self._setter.item(self._context)
        except SetError as error:
            raise EditError(str(error), path) from None
        for index, old in enumerate(current):
            if not isinstance(old, dict):
                message = f"cast error, unable to cast {go_type(old)} to map[string]interface{{}}"
                raise EditError(message, (*path, index))
            if not _has_key(old, step):
                continue
            if not _has_key(item, step):
                raise EditError("key value of replaced object must not change", (*path, index))
            if not self._tests.pass_(depth, exists=True) or equal(old, item):
                return current
            self.edits.append(Edit((*path, index), old, item))
            return [*current[:index], item, *current[index + 1 :]]
        if not self._tests.pass_(depth, exists=False):
            return current
        self.edits.append(Edit((*path, len(current)), ABSENT, item))
        return [*current, item]


def _is(left: Any, right: Any) -> bool:
    return left is right


def _has_key(item: Any, step: Item) -> bool:
    """Whether an item has the key's value: a number is not the text of it, and true is not 1."""
    if not isinstance(item, dict) or step.key not in item:
        return False
    value = item[step.key]
    return type(value) is type(step.value) and bool(value == step.value)


def _mismatch(wanted: str, step: Field | Item, got: Any) -> str:
    return (
        f"mismatch between path entry (type: {wanted}) and received object (type: {go_type(got)}). "
        f"Path: {step}"
    )


_GO_TYPES: Final[Mapping[type, str]] = {
    dict: "map[string]interface {}",
    list: "[]interface {}",
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    type(None): "<nil>",
}


def go_type(value: Any) -> str:
    """What Go calls the type of a JSON value: the texts of these errors are Gatekeeper's."""
    return _GO_TYPES.get(type(value), type(value).__name__)
