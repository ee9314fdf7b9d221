"""Expressions and objects at random, of the part of CEL that the CEL project's C++ runtime has and agrees on.

Left out is what cel-go, whose behaviour is followed here, decides otherwise than the C++ runtime: presence tests
on values without fields, order of NaN, texts of doubles, and that numbers of two known types can be compared; and
the order of a map's keys, which is nobody's.
"""

from __future__ import annotations

import json
import random
from typing import Any

TEXTS = ["", "a", "b", "ab", "abc", "aéb", "日本", "x.y", "A", "10", "-3", "true", "1h", "z" * 30]
INTEGERS = [0, 1, -1, 2, 3, 7, 10, -7, 255, 2**31, 2**53, 2**62, 2**63 - 1, -(2**63)]
DOUBLES = [0.0, 1.0, -1.0, 0.5, 2.5, 3.0, -7.25, 1e10]
PATTERNS = ['"^a"', '"b.?$"', '"[0-9]+"', '"."']
KEYS = ["s", "t", "i", "j", "d", "b", "c", "l", "m", "n", "o", "q"]


def scalar(rng: random.Random) -> Any:
    return rng.choice(
        [rng.choice(TEXTS), rng.choice(INTEGERS), rng.choice(DOUBLES), rng.random() < 0.5, None]
    )


def json_value(rng: random.Random, depth: int = 2) -> Any:
    chance = rng.random() if depth else 1.0
    if chance < 0.25:
        return {rng.choice(KEYS): json_value(rng, depth - 1) for _ in range(rng.randrange(4))}
    if chance < 0.5:
        return [json_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return scalar(rng)


def an_object(rng: random.Random) -> dict[str, Any]:
    """An object whose fields mostly have the types that their names say."""
    typed: dict[str, Any] = {
        "s": rng.choice(TEXTS),
        "t": rng.choice(TEXTS),
        "i": rng.choice(INTEGERS),
        "j": rng.choice([0, 1, 2, 3]),
        "d": rng.choice(DOUBLES),
        "b": rng.random() < 0.5,
        "c": rng.random() < 0.5,
        "l": [rng.choice(INTEGERS) for _ in range(rng.randrange(4))],
        "m": {rng.choice(KEYS): rng.choice(TEXTS) for _ in range(rng.randrange(4))},
        "n": None,
        "o": [{"s": rng.choice(TEXTS), "j": rng.choice([0, 1, 2])} for _ in range(rng.randrange(3))],
    }
    for key in rng.sample(KEYS, rng.randrange(3)):
        if rng.random() < 0.5:
            typed.pop(key, None)
        else:
            typed[key] = json_value(rng)
    return typed


class Generator:
    """Writes expressions of a wanted type, most of the time."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.scope: list[tuple[str, str]] = []

    def expression(self) -> str:
        """An expression."""
        kind = self.rng.choice(["bool", "bool", "bool", "int", "text", "double", "list", "map", "any"])
        return self.of(kind, self.rng.randrange(1, 5))

    def of(self, kind: str, depth: int) -> str:
        """An expression of a type; now and then of another."""
        if self.rng.random() < 0.04:
            kind = self.rng.choice(["bool", "int", "text", "double", "list", "any"])
        if depth <= 0:
            return self.leaf(kind)
        writer = getattr(self, f"_{kind}")
        text: str = writer(depth - 1)
        return text

    def leaf(self, kind: str) -> str:
        rng = self.rng
        named = [name for name, type in self.scope if type in (kind, "any") or kind == "any"]
        if named and rng.random() < 0.6:
            return rng.choice(named)
        field = {"bool": "bc", "int": "ij", "text": "st", "double": "d", "list": "l", "map": "m"}.get(kind)
        if rng.random() < 0.6:
            return f"x.{rng.choice(field or KEYS)}"
        return self.literal(kind)

    def literal(self, kind: str) -> str:
        rng = self.rng
        if kind == "bool":
            return rng.choice(["true", "false"])
        if kind == "int":
            return str(rng.choice(INTEGERS))
        if kind == "double":
            return repr(rng.choice(DOUBLES))
        if kind == "text":
            return json.dumps(rng.choice(TEXTS), ensure_ascii=False)
        if kind == "list":
            return f"[{', '.join(str(rng.choice(INTEGERS)) for _ in range(rng.randrange(4)))}]"
        if kind == "map":
            entries = (f'"{key}": {rng.choice(INTEGERS)}' for key in rng.sample(KEYS, 2))
            return "{" + ", ".join(entries) + "}"
        return rng.choice(["null", self.literal(rng.choice(["bool", "int", "text", "double", "list"]))])

    def _any(self, depth: int) -> str:
        return self.of(self.rng.choice(["bool", "int", "text", "double", "list", "map"]), depth)

    def _bool(self, depth: int) -> str:
        rng, of = self.rng, self.of
        kind = rng.choice(["int", "text", "double", "any"])
        alike = (of(kind, depth), of(kind, depth))
        return rng.choice(
            [
                lambda: f"({of('bool', depth)} && {of('bool', depth)})",
                lambda: f"({of('bool', depth)} || {of('bool', depth)})",
                lambda: f"({of('bool', depth)} || {of('bool', depth)} || {of('bool', depth)})",
                lambda: f"!({of('bool', depth)})",
                lambda: f"({alike[0]} {rng.choice(['==', '!='])} {alike[1]})",
                lambda: f"(dyn({alike[0]}) == {self.literal(kind)})",
                lambda: f"(dyn({alike[0]}) {rng.choice(['<', '<=', '>', '>='])} {alike[1]})",
                lambda: f"({of('int', depth)} in {rng.choice(['x.l', self.literal('list')])})",
                lambda: f"(string({of('text', depth)}) in x.m)",
                lambda: f'(x.s in ["a", "b", {self.literal("text")}])',
                lambda: f"has(x.{rng.choice(KEYS)})",
                lambda: (
                    f"{of('text', depth)}.{rng.choice(['startsWith', 'endsWith', 'contains'])}({of('text', depth)})"
                ),
                lambda: f"{of('text', depth)}.matches({rng.choice(PATTERNS)})",
                lambda: self.fold(rng.choice(["all", "exists", "exists_one"]), "bool", depth),
                lambda: self.fold(rng.choice(["all", "exists"]), "bool", depth),
                lambda: f"({of('bool', depth)} ? {of('bool', depth)} : {of('bool', depth)})",
                lambda: (
                    f"(type({of('any', depth)}) == {rng.choice(['int', 'string', 'list', 'bool', 'double'])})"
                ),
            ]
        )()

    def _int(self, depth: int) -> str:
        rng, of = self.rng, self.of
        return rng.choice(
            [
                lambda: f"({of('int', depth)} {rng.choice('+-*/%')} {of('int', depth)})",
                lambda: f"-({of('int', depth)})",
                lambda: f"size({of(rng.choice(['text', 'list', 'map']), depth)})",
                lambda: f"dyn({of('list', depth)}[{of('int', depth)}])",
                lambda: f"dyn(x.l[{rng.choice(['0', '1', 'x.j'])}])",
                lambda: f"int({of(rng.choice(['text', 'double', 'int']), depth)})",
                lambda: f"({of('bool', depth)} ? {of('int', depth)} : {of('int', depth)})",
                lambda: self.leaf("int"),
            ]
        )()

    def _double(self, depth: int) -> str:
        rng, of = self.rng, self.of
        return rng.choice(
            [
                lambda: f"({of('double', depth)} {rng.choice('+-*')} {of('double', depth)})",
                lambda: f"double({of('int', depth)})",
                lambda: f"-({of('double', depth)})",
                lambda: self.leaf("double"),
            ]
        )()

    def _text(self, depth: int) -> str:
        rng, of = self.rng, self.of
        return rng.choice(
            [
                lambda: f"({of('text', depth)} + {of('text', depth)})",
                lambda: f"string({of(rng.choice(['int', 'bool', 'text']), depth)})",
                lambda: f"dyn(x.m[{of('text', depth)}])",
                lambda: f"x.m.{rng.choice(KEYS)}",
                lambda: f"({of('bool', depth)} ? {of('text', depth)} : {of('text', depth)})",
                lambda: self.leaf("text"),
            ]
        )()

    def _list(self, depth: int) -> str:
        rng, of = self.rng, self.of
        return rng.choice(
            [
                lambda: f"[{', '.join(of('int', depth) for _ in range(rng.randrange(1, 4)))}]",
                lambda: f"({of('list', depth)} + {of('list', depth)})",
                lambda: self.fold("filter", "bool", depth),
                lambda: self.fold("map", rng.choice(["int", "text", "bool"]), depth),
                lambda: self.leaf("list"),
            ]
        )()

    def _map(self, depth: int) -> str:
        rng = self.rng
        keys = rng.sample(KEYS, rng.randrange(1, 3))
        return "{" + ", ".join(f'"{key}": {self.of("any", depth)}' for key in keys) + "}"

    def fold(self, macro: str, kind: str, depth: int) -> str:
        """A comprehension over a list; over a map only where its order does not show."""
        rng = self.rng
        source, item = rng.choice([(self.of("list", depth), "int"), ("x.o", "any"), ("x.l", "int")])
        if macro in ("all", "exists", "exists_one") and rng.random() < 0.2:
            source, item = "x.m", "text"
        name = f"v{len(self.scope)}"
        self.scope.append((name, item))
        if item == "any":
            self.scope.append((f"{name}.j", "int"))
        body = self.of(kind, depth)
        self.scope = [row for row in self.scope if row[0].split(".")[0] != name]
        return f"{source}.{macro}({name}, {body})"
