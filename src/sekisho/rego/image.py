"""The image of a program: its code, as data that a cache can keep, and its loading.

An image holds code objects and plain tables, nothing else, so that ``marshal`` can store it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import CodeType
from typing import Any, Final

from sekisho.diag import Source
from sekisho.lang.meter import Limits
from sekisho.rego.builtins.table import Builtin
from sekisho.rego.capabilities import Capabilities
from sekisho.rego.runtime import GLOBALS
from sekisho.rego.state import NEW, Loaded
from sekisho.rego.tree import Node

Position = tuple[int, int, int, str]


FORMAT: Final = 3
"""The number of the form of images and of the code in them: raise it with every change of either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Compiled code. ``paths`` and ``functions`` describe the groups; ``used`` maps built-ins to globals.

    ``mockable`` and ``overridable`` are what the code lets a ``with`` replace.
    """

    codes: tuple[CodeType, ...]
    positions: tuple[Position, ...]
    used: tuple[tuple[str, str], ...]
    paths: tuple[tuple[str | int, ...], ...]
    packages: tuple[tuple[str, ...], ...]
    functions: tuple[int, ...]
    mockable: tuple[str, ...]
    overridable: tuple[int, ...]

    def row(self) -> tuple[Any, ...]:
        """The image as a tuple that ``marshal`` can store."""
        return tuple(getattr(self, field.name) for field in fields(self))

    @classmethod
    def of_row(cls, row: object) -> Image | None:
        """The image that this tuple holds; None if it is no such tuple."""
        names = [field.name for field in fields(cls)]
        if not isinstance(row, tuple) or len(row) != len(names):
            return None
        return cls(**dict(zip(names, row, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What code runs in: the built-ins it may call, what they may touch, and how much it may use."""

    builtins: Mapping[str, Builtin]
    capabilities: Capabilities
    limits: Limits


def load(
    image: Image,
    sources: tuple[Source, ...],
    surroundings: Surroundings,
    names: Mapping[str, object] = GLOBALS,
) -> tuple[Loaded, dict[str, Any]]:
    """Run the image's module code, which sees ``names``; what evaluations share, and the code's globals."""
    scope = {**names, **new_globals(image.used, surroundings.builtins)}
    for code in image.codes:
        exec(code, scope)  # noqa: S102 - generated from syntax trees; sees nothing but ``scope``
    loaded = Loaded(
        sources=sources,
        positions=image.positions,
        tree=tree_of(image.paths, image.packages),
        rules=tuple(scope[rule_name(number)] for number in range(len(image.paths))),
        functions=frozenset(image.functions),
        builtins=surroundings.builtins,
        capabilities=surroundings.capabilities,
        limits=surroundings.limits,
        fresh=(NEW,) * len(image.paths),
    )
    return loaded, scope


def new_globals(used: Sequence[tuple[str, str]], builtins: Mapping[str, Builtin]) -> dict[str, Any]:
    """The globals of the built-ins that code uses, and no ``__builtins__``."""
    names: dict[str, Any] = {"__builtins__": {}}
    for name, alias in used:
        names[alias] = builtins[name].function
    return names


def tree_of(paths: Sequence[tuple[str | int, ...]], packages: Sequence[tuple[str, ...]]) -> Node:
    """The tree of groups with these paths, in the order of their numbers, and of these packages."""
    root = Node()
    for number, path in enumerate(paths):
        root.add(path).group = number
    for path in packages:
        root.add(path)
    return root


def rule_name(group: int) -> str:
    """The global function of a group."""
    return f"r{group}"
