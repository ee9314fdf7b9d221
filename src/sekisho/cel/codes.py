"""The codes of CEL's findings.

CEL0xx reading, CEL10x to CEL14x checking, CEL15x to CEL19x evaluation, CEL2xx libraries.
"""

from sekisho.diag import register

# --- CEL0xx: reading an expression ------------------------------------------------------------------------

SYNTAX = register("CEL001", "the CEL expression cannot be parsed")
LITERAL = register("CEL002", "a literal that CEL does not have")
MACRO = register("CEL003", "a macro that is used wrongly")
RESERVED = register("CEL004", "a reserved word used as a name")
TOO_LARGE = register("CEL010", "the CEL expression is too large")
TOO_DEEP = register("CEL011", "the CEL expression is nested too deeply")

# --- CEL1xx: names and types ------------------------------------------------------------------------------

UNDECLARED = register("CEL100", "a name that is not declared")
OVERLOAD = register("CEL101", "no overload of the function takes these types")
FIELD = register("CEL102", "a field that the type does not have")
MISMATCH = register("CEL103", "a value of another type than the one expected")
INVALID_LITERAL = register("CEL104", "a duration, timestamp or pattern that is wrong")

# --- CEL15x: evaluation -----------------------------------------------------------------------------------

EVALUATION = register("CEL150", "the CEL expression failed")
NO_OVERLOAD = register("CEL151", "an operation on values of types that it does not take")
NO_KEY = register("CEL152", "a field or key that is not there")
UNBOUND = register("CEL153", "a variable that was given no value")
COST = register("CEL160", "the CEL expression costs more than it may")
TIME = register("CEL161", "the CEL expression took too long")
LIMIT = register("CEL162", "the CEL expression used too much")

# --- CEL2xx: libraries ------------------------------------------------------------------------------------

TEMPLATE = register("CEL200", "a format template that does not fit its values")
