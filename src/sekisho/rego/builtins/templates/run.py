"""Go's text/template: a tree and its data to text. Messages are those of Go's interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from sekisho.lang.golang import gotext, gourl
from sekisho.lang.meter import Meter
from sekisho.rego.builtins.templates.parse import Node, Parser
from sekisho.rego.builtins.templates.values import MISSING, JsonNumber, join, printf, text, true, type_name
from sekisho.rego.faults import BuiltinFault

CALLS: Final = 50
"""Templates that call templates: Go stops at 100,000, which no stack of ours bears."""

_MISSING_TEXT: Final = "<no value>"


class _Fault(Exception):
    """What a function refuses, without the place."""


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _None:
    """No final operand of a pipeline."""


_NOTHING: Final = _None()


class Runner:
    """One rendering."""

    def __init__(self, source: str, meter: Meter) -> None:
        self._source = source
        self._meter = meter
        parser = Parser(source)
        main = parser.parse()
        self._templates = (
            {**parser.templates, "template": main}
            if main or not parser.templates
            else {
                "template": [],
                **parser.templates,
            }
        )
        self._name = "template"
        self._node: Node | None = None
        self._variables: list[tuple[str, Any]] = []
        self._out: list[str] = []
        self._length = 0
        self._calls = 0

    def render(self, data: Any) -> str:
        """The text. Raises BuiltinFault ``template: template:LINE:COL: executing …``."""
        self._variables = [("$", data)]
        try:
            self._walk(self._templates["template"], data)
        except RecursionError:
            raise BuiltinFault("template: template: the template is nested too deeply") from None
        return "".join(self._out)

    def _fail(self, message: str) -> NoReturn:
        assert self._node is not None
        place = self._node.place
        before = self._source[:place]
        column = len(before[before.rfind("\n") + 1 :].encode("utf-8", "surrogatepass"))
        location = f"template:{before.count(chr(10)) + 1}:{column}"
        context = self._node.shown
        raise BuiltinFault(
            f"template: {location}: executing {gotext.quote(self._name)} at <{context}>: {message}",
        )

    def _write(self, piece: str) -> None:
        self._length += len(piece)
        self._meter.text(self._length)
        self._out.append(piece)

    # --- nodes ---

    def _walk(self, nodes: list[Node], dot: Any) -> None:
        for node in nodes:
            self._meter.charge(10)
            self._node = node
            if node.kind == "text":
                self._write(node.value)
            elif node.kind == "action":
                assert node.pipe is not None
                value = self._pipeline(node.pipe, dot)
                if not node.pipe.names:
                    self._node = node
                    absent = value is None or value is MISSING
                    self._write(_MISSING_TEXT if absent else text(value, self._meter))
            elif node.kind in {"if", "with"}:
                self._choose(node, dot)
            elif node.kind == "range":
                self._range(node, dot)
            elif node.kind == "template":
                self._call_template(node, dot)
            else:
                raise _Break if node.kind == "break" else _Continue

    def _choose(self, node: Node, dot: Any) -> None:
        assert node.pipe is not None
        known = len(self._variables)
        value = self._pipeline(node.pipe, dot)
        if true(value):
            self._walk(node.body, value if node.kind == "with" else dot)
        else:
            self._walk(node.otherwise, dot)
        del self._variables[known:]

    def _range(self, node: Node, dot: Any) -> None:
        assert node.pipe is not None
        known = len(self._variables)
        value = self._pipeline(node.pipe, dot)
        del self._variables[known:]
        pairs: Any
        if type(value) is int:
            if len(node.pipe.names) > 1:
                self._fail(f"can't use {value} to iterate over more than one variable")
            pairs = ((None, index) for index in range(value))
        elif isinstance(value, list):
            pairs = enumerate(value)
        elif isinstance(value, dict):
            pairs = ((name, value[name]) for name in sorted(value))
        elif value is None or value is MISSING:
            pairs = ()
        else:
            self._fail(f"range can't iterate over {text(value, self._meter)}")
        empty = True
        for index, element in pairs:
            empty = False
            self._meter.charge(20)
            self._bind(node.pipe, index, element)
            try:
                self._walk(node.body, element)
            except _Continue:
                pass
            except _Break:
                break
            finally:
                del self._variables[known:]
        if empty:
            self._walk(node.otherwise, dot)

    def _bind(self, pipe: Node, index: Any, element: Any) -> None:
        values = [index, element] if len(pipe.names) > 1 else [element]
        for name, value in zip(pipe.names, values, strict=False):
            if pipe.assigns:
                self._assign(name, value)
            else:
                self._variables.append((name, value))

    def _call_template(self, node: Node, dot: Any) -> None:
        body = self._templates.get(node.value)
        if body is None:
            self._fail(f"template {gotext.quote(node.value)} not defined")
        if self._calls >= CALLS:
            self._fail(f"exceeded maximum template depth ({CALLS})")
        value = self._pipeline(node.pipe, dot) if node.pipe else MISSING
        name, variables = self._name, self._variables
        self._name, self._variables = node.value, [("$", value)]
        self._calls += 1
        self._walk(body, value)
        self._calls -= 1
        self._name, self._variables = name, variables

    # --- pipelines ---

    def _assign(self, name: str, value: Any) -> None:
        for at in range(len(self._variables) - 1, -1, -1):
            if self._variables[at][0] == name:
                self._variables[at] = (name, value)
                return
        self._fail(f"undefined variable: {name}")

    def _variable(self, name: str) -> Any:
        found = [value for known, value in self._variables if known == name]
        if not found:
            self._fail(f"undefined variable: {name}")
        return found[-1]

    def _pipeline(self, pipe: Node, dot: Any) -> Any:
        self._node = pipe
        value: Any = _NOTHING
        for command in pipe.parts:
            value = self._command(command, dot, value)
            if value is None:
                value = MISSING
        for name in pipe.names:
            if pipe.assigns:
                self._assign(name, value)
            else:
                self._variables.append((name, value))
        return value

    def _command(self, command: Node, dot: Any, final: Any) -> Any:
        self._meter.charge(5)
        first, *rest = command.parts
        given = bool(rest) or final is not _NOTHING
        if first.kind == "call":
            return self._call(first, command, rest, dot, final)
        if first.kind in {"field", "variable", "chain"}:
            return self._operand(first, dot, given=given)
        self._node = first
        if given:
            self._fail(f"can't give argument to non-function {first.shown}")
        if first.kind == "nil":
            self._fail("nil is not a command")
        return self._operand(first, dot)

    def _operand(self, node: Node, dot: Any, *, given: bool = False) -> Any:
        """The value of an operand; ``given``: operands follow it, which only functions may have."""
        if node.kind == "constant":
            return node.value
        if node.kind == "dot":
            return dot
        if node.kind == "nil":
            return None
        if node.kind == "pipe":
            return self._pipeline(node, dot)
        if node.kind == "call":
            return self._call(node, node, [], dot, _NOTHING)
        self._node = node
        if node.kind == "field":
            return self._fields(node, dot, node.names, given=given)
        if node.kind == "variable":
            value = self._variable(node.names[0])
            if len(node.names) == 1:
                if given:
                    self._fail(f"can't give argument to non-function {node.shown}")
                return value
            return self._fields(node, value, node.names[1:], given=given)
        inner = self._operand(node.parts[0], dot)
        self._node = node
        return self._fields(node, inner, node.names, given=given)

    def _fields(self, node: Node, value: Any, names: list[str], *, given: bool) -> Any:
        nested = False
        for at, name in enumerate(names):
            if value is MISSING:
                return MISSING
            if value is None:
                self._fail(f"nil pointer evaluating interface {{}}.{name}")
            if not isinstance(value, dict):
                kind = "interface {}" if nested else type_name(value)
                self._fail(f"can't evaluate field {name} in type {kind}")
            if given and at == len(names) - 1:
                self._fail(f"{name} is not a method but has arguments")
            value = value.get(name, MISSING)
            nested = True
        self._node = node
        return value

    def _call(self, node: Node, command: Node, rest: list[Node], dot: Any, final: Any) -> Any:
        name: str = node.value
        self._node = node
        least, most, function = _FUNCTIONS[name]
        count = len(rest) + (final is not _NOTHING)
        if most is None and count < least:
            self._fail(f"wrong number of args for {name}: want at least {least} got {len(rest)}")
        if most is not None and count != most:
            self._fail(f"wrong number of args for {name}: want {most} got {count}")
        if name in {"and", "or"}:
            return self._logic(name, rest, dot, final)
        values = [self._operand(part, dot) for part in rest]
        if name == "printf" and rest and type(values[0]) is not str:
            self._no_format(rest[0], values[0])
        if final is not _NOTHING:
            values.append(final)
        values = [None if value is MISSING else value for value in values]
        if name == "call":
            values.insert(0, rest[0].shown if rest else "")
        self._meter.charge(10)
        try:
            return function(values, self._meter)
        except _Fault as fault:
            self._node = command
            self._fail(f"error calling {name}: {fault}")

    def _no_format(self, part: Node, value: Any) -> NoReturn:
        self._node = part
        if part.kind == "constant":
            self._fail(f"expected string; found {part.shown}")
        self._fail(f"wrong type for value; expected string; got {type_name(value)}")

    def _logic(self, name: str, rest: list[Node], dot: Any, final: Any) -> Any:
        value: Any = MISSING
        for part in rest:
            value = self._operand(part, dot)
            if true(value) == (name == "or"):
                return value
        return final if final is not _NOTHING else value


# --- functions ------------------------------------------------------------------------


def _len(values: list[Any], _meter: Meter) -> int:
    [value] = values
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, list | dict):
        return len(value)
    if value is None:
        raise _Fault("reflect: call of reflect.Value.Type on zero Value")
    raise _Fault(f"len of type {type_name(value)}")


def _position(index: Any, size: int) -> int:
    if type(index) is not int:
        kind = "nil" if index is None else f"type {type_name(index)}"
        raise _Fault(f"cannot index slice/array with {kind}")
    if not 0 <= index < size:
        raise _Fault(f"index out of range: {index}")
    return index


def _index(values: list[Any], _meter: Meter) -> Any:
    value, *indexes = values
    if value is None:
        raise _Fault("index of untyped nil")
    for index in indexes:
        if isinstance(value, dict):
            if type(index) is not str:
                wrong = f"value has type {type_name(index)}; should be string"
                raise _Fault("value is nil; should be of type string" if index is None else wrong)
            value = value.get(index)
        elif isinstance(value, list):
            value = value[_position(index, len(value))]
        elif isinstance(value, str):
            octets = value.encode("utf-8", "surrogatepass")
            value = octets[_position(index, len(octets))]
        elif value is None:
            raise _Fault("index of nil pointer")
        else:
            raise _Fault(f"can't index item of type {type_name(value)}")
    return value


def _slice(values: list[Any], _meter: Meter) -> Any:
    value, *indexes = values
    if value is None:
        raise _Fault("slice of untyped nil")
    if len(indexes) > 3:
        raise _Fault(f"too many slice indexes: {len(indexes)}")
    if not isinstance(value, str | list):
        raise _Fault(f"can't slice item of type {type_name(value)}")
    if isinstance(value, str) and len(indexes) == 3:
        raise _Fault("cannot 3-index slice a string")
    whole: Any = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    bounds = [_position(index, len(whole) + 1) for index in indexes]
    ends = [0, len(whole), len(whole)]
    ends[: len(bounds)] = bounds
    if ends[0] > ends[1]:
        raise _Fault(f"invalid slice index: {ends[0]} > {ends[1]}")
    if len(bounds) == 3 and ends[1] > ends[2]:
        raise _Fault(f"invalid slice index: {ends[1]} > {ends[2]}")
    part = whole[ends[0] : ends[1]]
    return part.decode("utf-8", "replace") if isinstance(value, str) else part


_BASIC: Final[dict[type, str]] = {
    str: "string",
    JsonNumber: "string",
    bool: "bool",
    int: "int",
    float: "float",
}


def _eq(values: list[Any], meter: Meter) -> bool:
    first, *others = values
    if not others:
        raise _Fault("missing argument for comparison")
    kind = _BASIC.get(type(first), "")
    for other in others:
        if kind != _BASIC.get(type(other), ""):
            if first is not None and other is not None:
                types = f"{type_name(first)} and {type_name(other)}"
                raise _Fault(f"incompatible types for comparison: {types}")
        elif kind:
            if first == other:
                return True
        elif first is None or other is None:
            if first is other:
                return True
        elif type(first) is not type(other):
            shown = f"{text(first, meter)}: {type_name(first)}, {type_name(other)}: {text(other, meter)}"
            raise _Fault(f"non-comparable types {shown}")
        else:
            raise _Fault(f"non-comparable type {text(other, meter)}: {type_name(other)}")
    return False


def _ne(values: list[Any], meter: Meter) -> bool:
    return not _eq(values, meter)


def _less(first: Any, second: Any) -> bool:
    kind, other = _BASIC.get(type(first)), _BASIC.get(type(second))
    if kind is None or other is None:
        raise _Fault("invalid type for comparison")
    if kind != other:
        raise _Fault(f"incompatible types for comparison: {type_name(first)} and {type_name(second)}")
    if kind == "bool":
        raise _Fault("invalid type for comparison")
    return bool(first < second)


def _compare(values: list[Any], _meter: Meter, *, swap: bool, equal: bool) -> bool:
    first, second = reversed(values) if swap else values
    if equal:
        return _less(first, second) or bool(first == second)
    return _less(first, second)


_HTML: Final = str.maketrans(
    {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
_JS: Final = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}


def _js_char(char: str) -> str:
    if char in _JS:
        return _JS[char]
    if char < " " or not (char < "\x80" or char.isprintable()):
        return f"\\u{ord(char):04X}"
    return char


def _escaped(escape: Callable[[str], str]) -> Callable[[list[Any], Meter], str]:
    def run(values: list[Any], meter: Meter) -> str:
        joined = values[0] if len(values) == 1 and type(values[0]) is str else join(values, meter)
        meter.text(6 * len(joined))
        return escape(joined)

    return run


def _printf(values: list[Any], meter: Meter) -> str:
    template, *rest = values
    if not isinstance(template, str):
        raise _Fault(f"wrong type for value; expected string; got {type_name(template)}")
    return printf(template, rest, meter)


def _call_value(values: list[Any], _meter: Meter) -> Any:
    name, value, *_ = values
    if value is None:
        raise _Fault("call of nil")
    raise _Fault(f"non-function {name} of type {type_name(value)}")


Function = Callable[[list[Any], Meter], Any]

_FUNCTIONS: Final[dict[str, tuple[int, int | None, Function]]] = {
    "and": (1, None, lambda values, _meter: values),
    "or": (1, None, lambda values, _meter: values),
    "not": (1, 1, lambda values, _meter: not true(values[0])),
    "len": (1, 1, _len),
    "index": (1, None, _index),
    "slice": (1, None, _slice),
    "eq": (1, None, _eq),
    "ne": (2, 2, _ne),
    "lt": (2, 2, lambda values, meter: _compare(values, meter, swap=False, equal=False)),
    "le": (2, 2, lambda values, meter: _compare(values, meter, swap=False, equal=True)),
    "gt": (2, 2, lambda values, meter: _compare(values, meter, swap=True, equal=False)),
    "ge": (2, 2, lambda values, meter: _compare(values, meter, swap=True, equal=True)),
    "print": (0, None, join),
    "println": (0, None, lambda values, meter: join(values, meter, line=True)),
    "printf": (1, None, _printf),
    "html": (0, None, _escaped(lambda joined: joined.translate(_HTML))),
    "js": (0, None, _escaped(lambda joined: "".join(map(_js_char, joined)))),
    "urlquery": (0, None, _escaped(gourl.escape_query)),
    "call": (1, None, _call_value),
}
"""Least and most operands (None: any number), and what it does."""
