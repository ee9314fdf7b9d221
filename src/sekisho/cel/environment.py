"""What expressions are compiled against: functions, variables, types, options."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Final

from sekisho.cel.functions import Cost, Overload
from sekisho.cel.library import Library, Macro, Validator
from sekisho.cel.standard import STANDARD
from sekisho.cel.types import CelType, Kind, Struct


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How strict the compiler is.

    ``homogeneous``: elements of a list that is written out must be of one type, but in ``format``.
    ``literals``: durations, timestamps and patterns that are written must be right. ``presence_cost``: a
    presence test costs as a selection does; in Kubernetes it is free. ``optional_syntax``: ``a.?b`` is read.
    ``macros``: macros are expanded. ``checked``: what is wrong with names and types is told before an
    evaluation; otherwise one that gets there fails.
    """

    homogeneous: bool = False
    literals: bool = False
    presence_cost: bool = False
    optional_syntax: bool = True
    macros: bool = True
    checked: bool = True


KUBERNETES: Final = Options(homogeneous=True, literals=True)
"""As Kubernetes sets them."""

NO_VARIABLES: Final[Mapping[str, CelType]] = MappingProxyType({})
NO_STRUCTS: Final[Mapping[str, Struct]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Libraries, variables with their declared types, struct types, options. Immutable.

    The standard library is always there. ``variables`` may have dots in their names (``a.b``). ``container``
    is the namespace in which names are looked up.
    """

    libraries: tuple[Library, ...] = ()
    variables: Mapping[str, CelType] = field(default_factory=lambda: NO_VARIABLES)
    structs: Mapping[str, Struct] = field(default_factory=lambda: NO_STRUCTS)
    container: str = ""
    options: Options = Options()

    def with_variables(self, variables: Mapping[str, CelType]) -> Environment:
        """This environment with more variables."""
        return replace(self, variables={**self.variables, **variables})

    def with_structs(self, *structs: Struct) -> Environment:
        """This environment with more struct types."""
        return replace(self, structs={**self.structs, **{struct.name: struct for struct in structs}})

    @cached_property
    def all_libraries(self) -> tuple[Library, ...]:
        """The standard library and the others."""
        return (STANDARD, *self.libraries)

    @cached_property
    def functions(self) -> Mapping[str, tuple[Overload, ...]]:
        """The overloads of each function, in the order of their libraries. A later row of one id wins."""
        rows: dict[str, dict[str, Overload]] = {}
        for library in self.all_libraries:
            for overload in library.overloads:
                rows.setdefault(overload.function, {})[overload.id] = overload
        return {name: tuple(found.values()) for name, found in rows.items()}

    @cached_property
    def macros(self) -> Mapping[tuple[str, int, bool], Macro]:
        """Macros by name, number of arguments (-1: any) and whether they are called on something."""
        if not self.options.macros:
            return {}
        return {
            (macro.name, macro.arguments, macro.member): macro
            for library in self.all_libraries
            for macro in library.macros
        }

    @cached_property
    def validators(self) -> Mapping[str, tuple[Validator, ...]]:
        """What looks at the calls of a function."""
        found: dict[str, tuple[Validator, ...]] = {}
        for library in self.all_libraries:
            for function, validator in library.validators:
                found[function] = (*found.get(function, ()), validator)
        return found

    @cached_property
    def mixed(self) -> frozenset[str]:
        """Functions within whose calls the elements of a list may be of several types."""
        return frozenset[str]().union(*(library.mixed for library in self.all_libraries))

    @cached_property
    def type_names(self) -> Mapping[str, CelType]:
        """The types that expressions may name."""
        known = {type.name: type for library in self.all_libraries for type in library.types}
        known.update({name: declared.type for name, declared in self.all_structs.items()})
        return known

    @cached_property
    def all_structs(self) -> Mapping[str, Struct]:
        """The struct types of the libraries and the environment's own."""
        known = {s.name: s for library in self.all_libraries for s in library.structs}
        return {**known, **self.structs}

    @cached_property
    def constants(self) -> Mapping[str, tuple[CelType, Any]]:
        """Names with a fixed value."""
        return {
            name: (type, value) for library in self.all_libraries for name, type, value in library.constants
        }

    @cached_property
    def salt(self) -> tuple[str, ...]:
        """All that a compiled program depends on besides its source, as texts for the program cache."""
        return (
            *(_mark(library) for library in self.libraries),
            *(f"{name}: {_full(type)}" for name, type in sorted(self.variables.items())),
            *(_struct_text(struct) for _, struct in sorted(self.structs.items())),
            self.container,
            repr(self.options),
        )


_MARKS: Final[dict[int, tuple[Library, str]]] = {}
"""What stands for a library in a key, by its id; the library is kept, so that the id stays its own."""


def _mark(library: Library) -> str:
    """A library's name and version, and what its calls cost, which compiled code has in it."""
    known = _MARKS.get(id(library))
    if known is None:
        rows = (f"{row.id}={_cost_name(row.cost)}" for row in library.overloads)
        digest = hashlib.sha256(" ".join(rows).encode()).hexdigest()[:16]
        known = _MARKS[id(library)] = (library, f"{library.name} {library.version} {digest}")
    return known[1]


def _cost_name(cost: Cost) -> str:
    """What stands for a cost: the same in every process."""
    if isinstance(cost, int):
        return str(cost)
    if isinstance(cost, partial):
        return f"{_cost_name(cost.func)}{cost.args}{cost.keywords}"
    return getattr(cost, "__qualname__", type(cost).__qualname__)


def _struct_text(struct: Struct) -> str:
    rows = (
        f"{name}={row.key}: {_full(row.type)} {getattr(row.read, '__qualname__', '')}"
        for name, row in struct.fields.items()
    )
    return f"{struct.name} {{{'; '.join(rows)}}}"


def _full(type: CelType) -> str:
    mark = "struct " if type.kind is Kind.STRUCT else ""
    return f"{mark}{type}"
