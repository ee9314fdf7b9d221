"""What a name means: a variable of a fold, a variable of the environment, a constant, a type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sekisho.cel.environment import Environment
from sekisho.cel.functions import Overload
from sekisho.cel.types import CelType, Struct, type_of_type


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for: its full ``name``, its ``type``, and its value if that is ``fixed``."""

    name: str
    type: CelType
    fixed: tuple[Any] | None = None
    local: bool = False


class Scope:
    """Looks names up, innermost first."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._locals: list[dict[str, CelType]] = []

    def enter(self, names: dict[str, CelType]) -> None:
        """Names of a fold come into scope."""
        self._locals.append(names)

    def leave(self) -> None:
        """The innermost names go."""
        self._locals.pop()

    def local(self, name: str) -> CelType | None:
        """The type of a variable of a fold."""
        for names in reversed(self._locals):
            if name in names:
                return names[name]
        return None

    def candidates(self, name: str) -> list[str]:
        """The full names that a name may stand for, as the container says."""
        if name.startswith("."):
            return [name[1:]]
        parts = self._environment.container.split(".") if self._environment.container else []
        return [".".join([*parts[:length], name]) for length in range(len(parts), -1, -1)]

    def find(self, name: str, *, qualified: bool = False) -> Meaning | None:
        """The meaning of a name. A ``qualified`` one has dots, and is no variable of a fold."""
        absolute = name.startswith(".")
        if not absolute:
            first = name.split(".", 1)[0] if qualified else name
            local = self.local(first)
            if local is not None:
                return None if qualified else Meaning(name, local, local=True)
        for candidate in self.candidates(name):
            found = self._global(candidate)
            if found is not None:
                return found
        return None

    def _global(self, name: str) -> Meaning | None:
        environment = self._environment
        variable = environment.variables.get(name)
        if variable is not None:
            return Meaning(name, variable)
        constant = environment.constants.get(name)
        if constant is not None:
            return Meaning(name, constant[0], (constant[1],))
        type = environment.type_names.get(name)
        if type is not None:
            return Meaning(name, type_of_type(type), (type,))
        return None

    def struct(self, name: str) -> Struct | None:
        """The struct type of a name."""
        for candidate in self.candidates(name):
            found = self._environment.all_structs.get(candidate)
            if found is not None:
                return found
        return None

    def function(self, name: str) -> tuple[str, tuple[Overload, ...]] | None:
        """The full name of a function, and its overloads."""
        for candidate in self.candidates(name):
            found = self._environment.functions.get(candidate)
            if found is not None:
                return candidate, found
        return None
