"""Reading a decoded JSON document with types: a field of the wrong type is an error that names its place."""

from __future__ import annotations

from sekisho.sandbox.errors import SandboxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MOST_INT = 1 << 63


class Fields:
    """A JSON object and where it stands in the document (``linux.resources``)."""

    __slots__ = ("at", "value")

    def __init__(self, value: Any, at: str = "") -> None:
        if not isinstance(value, dict):
            raise wrong(at or "the document", "an object")
        self.value = value
        self.at = at

    def place(self, name: str) -> str:
        """Where a field stands."""
        return f"{self.at}.{name}" if self.at else name

    def has(self, name: str) -> bool:
        """Whether a field is there and not null."""
        return self.value.get(name) is not None

    def fields(self, name: str) -> Fields:
        """An object; empty if it is missing."""
        value = self.value.get(name)
        return Fields({} if value is None else value, self.place(name))

    def each(self, name: str) -> Iterator[Fields]:
        """The objects of a list."""
        for index, item in enumerate(self._list(name)):
            yield Fields(item, f"{self.place(name)}[{index}]")

    def _list(self, name: str) -> list[Any]:
        value = self.value.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise wrong(self.place(name), "a list")
        return value

    def text(self, name: str, default: str = "") -> str:
        """A string, which holds no NUL: the kernel would cut it there."""
        value = self.value.get(name)
        if value is None:
            return default
        return _text(value, self.place(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(
            _text(item, f"{self.place(name)}[{index}]") for index, item in enumerate(self._list(name))
        )

    def needed(self, name: str) -> str:
        """A string that must be there."""
        if not self.value.get(name):
            raise SandboxError("SBX122", f"config.json: {self.place(name)} is missing")
        return self.text(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean."""
        value = self.value.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise wrong(self.place(name), "true or false")
        return value

    def number(self, name: str) -> int | None:
        """An integer, or None."""
        value = self.value.get(name)
        if value is None:
            return None
        return _int(value, self.place(name))

    def count(self, name: str, default: int = 0) -> int:
        """An integer that is not negative."""
        value = self.number(name)
        if value is None:
            return default
        if value < 0:
            raise wrong(self.place(name), "not negative")
        return value

    def counts(self, name: str) -> tuple[int, ...]:
        """A list of integers."""
        return tuple(
            _int(item, f"{self.place(name)}[{index}]") for index, item in enumerate(self._list(name))
        )

    def pairs(self, name: str) -> dict[str, str]:
        """An object of strings."""
        inner = self.fields(name)
        return {key: _text(value, inner.place(key)) for key, value in inner.value.items()}


def wrong(place: str, expected: str) -> SandboxError:
    """A field is not what it must be."""
    return SandboxError("SBX122", f"config.json: {place} must be {expected}")


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise wrong(place, "a string")
    if "\0" in value:
        raise wrong(place, "without NUL")
    return value


def _int(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(place, "an integer")
    if not -MOST_INT <= value < 2 * MOST_INT:
        raise wrong(place, "an integer of 64 bits")
    return value
