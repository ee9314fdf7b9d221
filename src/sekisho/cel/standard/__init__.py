"""The standard library of CEL, and cel-go's libraries that change the language itself."""

from __future__ import annotations

from typing import Final

from sekisho.cel.library import Library
from sekisho.cel.standard.conversions import CONVERSIONS
from sekisho.cel.standard.getters import GETTERS
from sekisho.cel.standard.macros import (
    BINDING_MACROS,
    BLOCK_MACROS,
    OPTIONAL_MACROS,
    STANDARD_MACROS,
    TWO_VARIABLE_MACROS,
)
from sekisho.cel.standard.messages import MESSAGE_TYPES, NULL_VALUE
from sekisho.cel.standard.operators import OPERATORS
from sekisho.cel.standard.optionals import OPTIONAL_ROWS
from sekisho.cel.standard.texts import TEXTS
from sekisho.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    LIST_OF_DYN,
    MAP_OF_DYN,
    NULL,
    OPTIONAL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
)

STANDARD: Final = Library(
    name="standard",
    overloads=(*OPERATORS, *CONVERSIONS, *TEXTS, *GETTERS),
    macros=STANDARD_MACROS,
    types=(
        BOOL,
        BYTES,
        DOUBLE,
        DURATION,
        INT,
        LIST_OF_DYN,
        MAP_OF_DYN,
        NULL,
        STRING,
        TIMESTAMP,
        TYPE,
        UINT,
    ),
)
OPTIONALS: Final = Library(
    name="optional", overloads=OPTIONAL_ROWS, macros=OPTIONAL_MACROS, types=(OPTIONAL,), version=0
)
TWO_VARIABLES: Final = Library(name="two-variable comprehensions", macros=TWO_VARIABLE_MACROS)
BINDINGS: Final = Library(name="bindings", macros=BINDING_MACROS)
BLOCKS: Final = Library(name="blocks", macros=BLOCK_MACROS)
MESSAGES: Final = Library(name="well-known messages", structs=MESSAGE_TYPES, constants=NULL_VALUE)

__all__ = ["BINDINGS", "BLOCKS", "MESSAGES", "OPTIONALS", "STANDARD", "TWO_VARIABLES"]
