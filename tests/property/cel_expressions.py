"""Generates CEL expressions and the objects that they look at. The same seed gives the same ones."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

KEYS = ("a", "b", "c", "name", "items", "labels", "spec")
WORDS = ("", "a", "b", "ab", "abc", "A-b", "10", "-3", "true", "é本", "x.y/z", "1.5", "a\n\t'\"\\")
INTS = (0, 1, 2, 3, -1, 7, 10, -100, 2**31, 2**63 - 1, -(2**63))
DOUBLES = (0.0, 1.0, -1.5, 2.25, 1e10, 0.1, -1e-3, 9007199254740993.0)
PATTERNS = ("a", "^a.*", "[a-c]+$", "", "b|c", "\\\\d+", "(a)(b)?", "é")
VARIABLES = {
    "object": "dyn",
    "n": "int",
    "u": "uint",
    "d": "double",
    "s": "string",
    "t": "bool",
    "ints": "list(int)",
    "words": "list(string)",
    "sizes": "map(string, int)",
}


def literal(text: str) -> str:
    """A text as CEL writes it."""
    return json.dumps(text, ensure_ascii=False)


class Maker:
    """Makes expressions of a type, from what is in scope."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._scope: list[tuple[str, str]] = []
        self._names = 0

    # --- values -----------------------------------------------------------------------------------------------

    def value(self, depth: int = 3) -> Any:
        """JSON."""
        roll = self.random.random() if depth else 1.0
        if roll < 0.35:
            return {self.random.choice(KEYS): self.value(depth - 1) for _ in range(self.random.randrange(5))}
        if roll < 0.55:
            return [self.value(depth - 1) for _ in range(self.random.randrange(4))]
        scalars: tuple[Any, ...] = (None, True, False, *WORDS[:6], 0, 1, 2, -7, 1.5, -0.25)
        return self.random.choice(scalars)

    def activation(self) -> dict[str, Any]:
        """A value for each variable but ``u``, which differs between engines."""
        pick = self.random.choice
        return {
            "object": {key: self.value() for key in KEYS if self.random.random() < 0.8},
            "n": pick(INTS),
            "u": abs(pick(INTS[:7])),
            "d": pick(DOUBLES),
            "s": pick(WORDS),
            "t": pick((True, False)),
            "ints": [pick(INTS[:8]) for _ in range(self.random.randrange(5))],
            "words": [pick(WORDS) for _ in range(self.random.randrange(5))],
            "sizes": {pick(KEYS): pick(INTS[:8]) for _ in range(self.random.randrange(4))},
        }

    # --- expressions ------------------------------------------------------------------------------------------

    def make(self, kind: str, depth: int) -> str:
        """An expression of a type."""
        choices = _LEAVES[kind] if depth <= 0 else (*_LEAVES[kind][:2], *_NODES[kind])
        return self.random.choice(choices)(self, depth - 1)

    def any(self, depth: int) -> str:
        """An expression of some type."""
        return self.make(self.random.choice(KINDS), depth)

    def variable(self, kind: str, otherwise: Callable[[], str]) -> str:
        """A variable of a type that is in scope."""
        names = [name for name, known in (*VARIABLES.items(), *self._scope) if known == kind]
        return self.random.choice(names) if names else otherwise()

    def within(self, kind: str, write: Callable[[str], str]) -> str:
        """What ``write`` makes with a new variable of a type in scope."""
        self._names += 1
        name = f"v{self._names}"
        self._scope.append((name, kind))
        try:
            return write(name)
        finally:
            self._scope.pop()

    def path(self, depth: int) -> str:
        """A way into the object, or a dynamic variable."""
        text = self.variable("dyn", lambda: "object")
        for _ in range(self.random.randrange(1, 3 + (depth > 0))):
            roll = self.random.random()
            key = self.random.choice(KEYS)
            if roll < 0.75:
                text += f".{key}"
            elif roll < 0.9:
                text += f"[{literal(key)}]"
            else:
                text += f"[{self.random.randrange(3)}]"
        return text

    def tested(self) -> str:
        """``has(…)`` of a map: of what has no fields it is an error in the C++ runtime, and false in cel-go."""
        return f"has(object.{self.random.choice(KEYS)})"

    def fold(self, macro: str, depth: int, result: str) -> str:
        """A macro over a list whose elements have a type that is known, or over something of the object."""
        roll = self.random.random()
        if roll < 0.4:
            target, element = self.make("list(int)", depth), "int"
        elif roll < 0.7:
            target, element = self.make("list(string)", depth), "string"
        else:
            target, element = self.path(0), "dyn"
        return self.within(element, lambda v: f"{target}.{macro}({v}, {self.make(result, depth)})")


def _one_of(*texts: str) -> Callable[[Maker, int], str]:
    return lambda maker, _: maker.random.choice(texts)


def _shape(pattern: str, *kinds: str) -> Callable[[Maker, int], str]:
    """A pattern whose holes are filled with expressions of these types."""
    return lambda maker, depth: pattern.format(*(maker.make(kind, depth) for kind in kinds))


def _var(kind: str, otherwise: str) -> Callable[[Maker, int], str]:
    return lambda maker, _: maker.variable(kind, lambda: otherwise)


def _path(maker: Maker, depth: int) -> str:
    return maker.path(depth)


def _integer(maker: Maker, _: int) -> str:
    number = maker.random.choice(INTS)
    return f"({number})" if number < 0 else str(number)


def _double(maker: Maker, _: int) -> str:
    return repr(abs(maker.random.choice(DOUBLES)))


def _text(maker: Maker, _: int) -> str:
    return literal(maker.random.choice(WORDS))


def _matches(maker: Maker, depth: int) -> str:
    return f'{maker.make("string", depth)}.matches("{maker.random.choice(PATTERNS)}")'


def _folded(macro: str, result: str) -> Callable[[Maker, int], str]:
    return lambda maker, depth: maker.fold(macro, depth, result)


def _mapped(source: str, target: str) -> Callable[[Maker, int], str]:
    """``l.map(v, …)`` from elements of one type to those of another."""

    def make(maker: Maker, depth: int) -> str:
        values = maker.make(f"list({source})", depth)
        return maker.within(source, lambda v: f"{values}.map({v}, {maker.make(target, depth)})")

    return make


def _filtered(element: str) -> Callable[[Maker, int], str]:
    def make(maker: Maker, depth: int) -> str:
        values = maker.make(f"list({element})", depth)
        return maker.within(element, lambda v: f"{values}.filter({v}, {maker.make('bool', depth)})")

    return make


def _either(kind: str) -> tuple[Callable[[Maker, int], str], ...]:
    return (_shape("({} ? {} : {})", "bool", kind, kind),)


def _compared(kind: str, *operators: str) -> tuple[Callable[[Maker, int], str], ...]:
    return tuple(_shape(f"{{}} {operator} {{}}", kind, kind) for operator in operators)


ORDER = ("==", "!=", "<", "<=", ">", ">=")
Productions = dict[str, tuple[Callable[[Maker, int], str], ...]]

_LEAVES: Productions = {
    "int": (_integer, _var("int", "1")),
    "uint": (_one_of("0u", "1u", "7u", "18446744073709551615u"), _var("uint", "2u")),
    "double": (_double, _var("double", "0.5")),
    "string": (_text, _var("string", '"a"')),
    "bytes": (_one_of('b"a"', 'b""', 'b"\\xff"'), _one_of('b"é"')),
    "bool": (_one_of("true", "false"), _var("bool", "true"), lambda maker, _: maker.tested()),
    "dyn": (_path, _path),
    "null": (_one_of("null"), _one_of("null")),
    "list(int)": (_one_of("[]", "[1, 2, 3]", "[3, 0]"), _var("list(int)", "[1]")),
    "list(string)": (_one_of('["a"]', '["b", "a", "b"]'), _var("list(string)", '["a"]')),
    "map(string, int)": (_one_of('{"c": 3}', '{"a": 1, "b": 2}'), _var("map(string, int)", '{"": 0}')),
    "timestamp": (
        _one_of(
            'timestamp("2024-02-29T12:34:56.789Z")',
            'timestamp("1969-12-31T23:59:59Z")',
            'timestamp("0001-01-01T00:00:00Z")',
        ),
        _one_of("timestamp(0)", "timestamp(1700000000)"),
    ),
    "duration": (
        _one_of('duration("90s")', 'duration("-1h30m")', 'duration("0s")'),
        _one_of('duration("1.5s")', 'duration("24h")'),
    ),
    "type": (
        _one_of("int", "string", "list", "map", "bool", "double", "null_type"),
        _one_of("uint", "bytes"),
    ),
}

_NODES: Productions = {
    "int": (
        *(_shape(f"({{}} {operator} {{}})", "int", "int") for operator in "+-*/%"),
        _shape("-({})", "int"),
        _shape("size({})", "string"),
        _shape("{}.size()", "list(int)"),
        _shape("size({})", "bytes"),
        _shape("{}.size()", "dyn"),
        _shape("{}.size()", "map(string, int)"),
        _shape("int({})", "string"),
        _shape("int({})", "double"),
        _shape("int({})", "uint"),
        _shape("int({})", "timestamp"),
        _shape("{}[{}]", "list(int)", "int"),
        _shape("{}[{}]", "map(string, int)", "string"),
        *(_shape(f"{{}}.get{part}()", "timestamp") for part in ("FullYear", "Month", "Date", "DayOfWeek")),
        *(
            _shape(f"{{}}.get{part}()", "timestamp")
            for part in ("DayOfMonth", "DayOfYear", "Hours", "Minutes")
        ),
        *(_shape(f"{{}}.get{part}()", "duration") for part in ("Hours", "Minutes", "Seconds")),
        *_either("int"),
    ),
    "uint": (
        *(_shape(f"({{}} {operator} {{}})", "uint", "uint") for operator in "+-*/%"),
        _shape("uint({})", "int"),
        _shape("uint({})", "string"),
        *_either("uint"),
    ),
    "double": (
        *(
            _shape(f"({{}} {operator} {{}})", "double", "double") for operator in "+-*"
        ),  # no NaN, which cel-go does not order
        _shape("-({})", "double"),
        _shape("double({})", "int"),
        _shape("double({})", "string"),
        *_either("double"),
    ),
    "string": (
        _shape("({} + {})", "string", "string"),
        _shape("string({})", "int"),
        _shape("string({})", "bool"),
        _shape("string({})", "uint"),
        _shape("string({})", "bytes"),
        _shape("{}[{}]", "list(string)", "int"),
        *_either("string"),
    ),
    "bytes": (_shape("bytes({})", "string"), _shape("({} + {})", "bytes", "bytes")),
    "bool": (
        *(_shape(f"({{}} {operator} {{}})", "bool", "bool") for operator in ("&&", "||", "==", "!=")),
        _shape("({} && {} && {})", "bool", "bool", "bool"),
        _shape("({} || {} || {})", "bool", "bool", "bool"),
        _shape("!({})", "bool"),
        *(make for kind in ("int", "uint", "double", "string", "bytes") for make in _compared(kind, *ORDER)),
        *(make for kind in ("timestamp", "duration") for make in _compared(kind, *ORDER)),
        *_compared("list(int)", "==", "!="),
        *_compared("map(string, int)", "==", "!="),
        *_compared("dyn", *ORDER),
        *(_shape(f"{{}} {operator} {{}}", "dyn", kind) for operator in ORDER for kind in ("int", "string")),
        *(
            _shape(f"{{}} {operator} {{}}", "dyn", kind)
            for operator in ("==", "!=")
            for kind in ("bool", "null")
        ),
        *(_shape(f"{{}} {operator} {{}}", kind, "dyn") for operator in ORDER for kind in ("double", "uint")),
        *(_shape(f"dyn({{}}) {operator} {{}}", "int", "double") for operator in ORDER),
        *(_shape(f"dyn({{}}) {operator} {{}}", "uint", "int") for operator in ORDER),
        _shape("{} in {}", "int", "list(int)"),
        _shape("{} in {}", "string", "list(string)"),
        _shape("{} in {}", "string", "map(string, int)"),
        _shape("{} in {}", "string", "dyn"),
        _shape("{} in [1, 2, 3]", "dyn"),
        _shape('{} in ["a", "b"]', "dyn"),
        *(
            _shape(f"{{}}.{name}({{}})", "string", "string")
            for name in ("contains", "startsWith", "endsWith")
        ),
        *(_shape(f"{{}}.{name}({{}})", "dyn", "string") for name in ("contains", "startsWith", "endsWith")),
        _matches,
        _shape("type({}) == {}", "dyn", "type"),
        _shape("bool({})", "string"),
        *(_folded(macro, "bool") for macro in ("all", "exists", "exists_one")),
        *(_folded(macro, "bool") for macro in ("all", "exists", "exists_one")),
        lambda maker, _: maker.tested(),
        *_either("bool"),
    ),
    "dyn": (_path, _shape("({} + {})", "dyn", "int"), _shape("({} + {})", "dyn", "dyn"), *_either("dyn")),
    "null": (_one_of("null"),),
    "list(int)": (
        _shape("[{}, {}]", "int", "int"),
        _shape("({} + {})", "list(int)", "list(int)"),
        _mapped("int", "int"),
        _mapped("string", "int"),
        _filtered("int"),
    ),
    "list(string)": (
        _shape("[{}]", "string"),
        _shape("({} + {})", "list(string)", "list(string)"),
        _mapped("string", "string"),
        _mapped("int", "string"),
        _filtered("string"),
    ),
    "map(string, int)": (_shape("{{{}: {}}}", "string", "int"),),
    "timestamp": (
        _shape("({} + {})", "timestamp", "duration"),
        _shape("({} - {})", "timestamp", "duration"),
        _shape("timestamp({})", "string"),
    ),
    "duration": (
        _shape("({} - {})", "timestamp", "timestamp"),
        _shape("({} + {})", "duration", "duration"),
        _shape("({} - {})", "duration", "duration"),
    ),
    "type": (_shape("type({})", "dyn"), _shape("type({})", "int")),
}

KINDS = ("bool", "bool", "bool", "int", "string", "double", "list(int)", "list(string)", "dyn")
"""What whole expressions are: conditions mostly, as in policies."""
