"""What leaves the evaluation as text: print, trace, template strings; and walk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sekisho.lang.meter import Exhausted
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.jsontext import plain
from sekisho.rego.text import bare, bounded
from sekisho.rego.types import ANY, BOOLEAN, STRING, Array, Function, SetOf
from sekisho.rego.values import Set, Value, sorted_keys, type_name, unkey

_UNDEFINED: Final = "<undefined>"


def _print(context: EvalContext, arguments: Value) -> bool:
    """Print a line for each combination of the arguments' values; each argument is a set of them."""
    if context.printed is not None:
        for line in _lines(context, operands.array(arguments, 1)):
            context.printed(plain(" ".join(line)))
    return True


def _lines(context: EvalContext, arguments: list[Value]) -> Iterator[list[str]]:
    """Each argument as text: a value as it is, a set once for each of its elements (none: undefined)."""
    choices: list[list[str]] = []
    count = 1
    for argument in arguments:
        if type(argument) is Set:
            choices.append([bounded(item, context.meter, bare) for item in argument] or [_UNDEFINED])
        elif type(argument) in {list, dict}:
            raise BuiltinFault(f"illegal argument type: {type_name(argument)}", kind="eval_internal_error")
        else:
            choices.append([bare(argument)])
        count *= len(choices[-1])
    context.meter.build(count)
    return _combinations(choices)


def _combinations(choices: list[list[str]]) -> Iterator[list[str]]:
    if not choices:
        yield []
        return
    for first in choices[0]:
        for rest in _combinations(choices[1:]):
            yield [first, *rest]


def _print_without_rewrite(context: EvalContext, *arguments: Value) -> bool:
    """``print`` before the compiler has rewritten it to ``internal.print``."""
    return _print(context, [Set.of([argument]) for argument in arguments])


def _template_string(context: EvalContext, parts: Value) -> str:
    lines = list(_lines(context, operands.array(parts, 1)))
    if len(lines) > 1:
        raise BuiltinFault("template-strings must not produce multiple outputs", kind="eval_conflict_error")
    context.meter.text(sum(map(len, lines[0])))
    return "".join(lines[0])


def _trace(context: EvalContext, note: Value) -> bool:
    text = operands.string(note, 1)
    if context.notes is not None:
        context.notes(plain(text))
    return True


def _test_case(names: Value) -> bool:
    """The compiler marks the cases of a data-driven test with it."""
    operands.array(names, 1)
    return True


# --- walk ------------------------


def _walk(context: EvalContext, document: Value) -> Iterator[list[Value]]:
    """Each part of a value with its path, the value itself first: [path, part]."""
    limit = context.meter.limits.depth
    stack: list[tuple[list[Value], Any]] = [([], document)]
    while stack:
        path, value = stack.pop()
        yield [path, value]
        kind = type(value)
        if kind is dict:
            steps = [(unkey(name), value[name]) for name in sorted_keys(value)]
        elif kind is list:
            steps = list(enumerate(value))
        elif kind is Set:
            steps = [(item, item) for item in value]
        else:
            continue
        if len(path) >= limit.value:
            raise Exhausted(limit)
        context.meter.build(len(steps))
        stack.extend(([*path, step], part) for step, part in reversed(steps))


row("print", Function((), None, variadic=ANY), _print_without_rewrite, context=True)
row("internal.print", Function((Array(dynamic=SetOf(ANY)),), None), _print, context=True)
row("internal.template_string", Function((Array(dynamic=ANY),), STRING), _template_string, context=True)
row("internal.test_case", Function((Array(dynamic=ANY),), None), _test_case)
row("trace", Function((STRING,), BOOLEAN), _trace, context=True)
row(
    "walk",
    Function((ANY,), Array(static=(Array(dynamic=ANY), ANY))),
    _walk,
    context=True,
    relation=True,
)
