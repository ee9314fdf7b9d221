"""Random Rego that usually parses: rules over few variables, so that it often compiles and sometimes holds."""

from __future__ import annotations

import random

VARIABLES = ("x", "y", "z", "k")
SCALARS = (
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "2.50",
    "1e3",
    '"a"',
    '"b"',
    '""',
    "`r`",
    "123456789012345678901",
)
CALLS = (
    ("count", 1), ("sum", 1), ("max", 1), ("sort", 1), ("lower", 1), ("to_number", 1), ("type_name", 1),
    ("json.marshal", 1), ("abs", 1), ("object.keys", 1), ("concat", 2), ("contains", 2), ("split", 2),
    ("startswith", 2), ("sprintf", 2), ("object.get", 3), ("array.concat", 2), ("array.slice", 3), ("union", 1),
    ("regex.match", 2), ("glob.match", 3), ("numbers.range", 2), ("substring", 3), ("format_int", 2),
    ("bits.lsh", 2), ("object.union", 2), ("json.filter", 2), ("trim", 2), ("replace", 3), ("walk", 1),
)  # fmt: skip
INFIX = ("+", "-", "*", "/", "%", "&", "|", "==", "!=", "<", "<=", ">", ">=")


class Generator:
    """Makes one module after another from a source of randomness."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._depth = 0

    def module(self) -> str:
        """A module of a few rules that refer to one another."""
        rules = [self._rule(number) for number in range(self._rng.randint(1, 5))]
        return "package fuzz\n\n" + "\n\n".join(rules) + "\n"

    def _rule(self, number: int) -> str:
        name, body = f"p{number}", self._body()
        match self._rng.randrange(6):
            case 0:
                return f"{name} contains {self._term()} if {{\n{body}\n}}"
            case 1:
                return f"{name}[{self._term()}] := {self._term()} if {{\n{body}\n}}"
            case 2:
                return f"{name}(x, y) := {self._term()} if {{\n{body}\n}}"
            case 3:
                return f"default {name} := {self._rng.choice(SCALARS)}\n\n{name} := {self._term()} if {{\n{body}\n}}"
            case 4:
                return f"{name} := {self._term()} if {{\n{body}\n}} else := {self._term()} if {{\n{self._body()}\n}}"
            case _:
                return f"{name} if {{\n{body}\n}}"

    def _body(self) -> str:
        return "\n".join(f"\t{self._expression()}" for _ in range(self._rng.randint(1, 4)))

    def _expression(self) -> str:
        variable = self._rng.choice(VARIABLES)
        match self._rng.randrange(9):
            case 0:
                return f"{variable} := {self._term()}"
            case 1:
                return f"{variable} = {self._term()}"
            case 2:
                return f"some {variable} in {self._term()}"
            case 3:
                return f"not {self._term()}"
            case 4:
                return f"every {variable} in {self._term()} {{ {variable} {self._rng.choice(INFIX[7:])} {self._term()} }}"
            case 5:
                return f"{self._term()} with {self._rng.choice(('input', 'input.x', 'data.q'))} as {self._term()}"
            case 6:
                return f"some {variable}; {variable} = {self._reference()}"
            case _:
                return self._term()

    def _term(self) -> str:
        self._depth += 1
        try:
            if self._depth > 4:
                return self._rng.choice((*SCALARS, *VARIABLES))
            return self._deep_term()
        finally:
            self._depth -= 1

    def _deep_term(self) -> str:
        rng = self._rng
        match rng.randrange(11):
            case 0:
                return rng.choice(SCALARS)
            case 1 | 2:
                return rng.choice(VARIABLES)
            case 3:
                return self._reference()
            case 4:
                return f"[{', '.join(self._term() for _ in range(rng.randrange(4)))}]"
            case 5:
                return f"{{{', '.join(self._term() for _ in range(rng.randint(1, 3)))}}}"
            case 6:
                return f"{{{', '.join(f'{self._term()}: {self._term()}' for _ in range(rng.randrange(3)))}}}"
            case 7:
                left, right = rng.choice((("[", "]"), ("{", "}")))
                return f"{left}{self._term()} | {self._expression()}{right}"
            case 8:
                name, arity = rng.choice(CALLS)
                return f"{name}({', '.join(self._term() for _ in range(arity))})"
            case 9:
                return f"({self._term()} {rng.choice(INFIX)} {self._term()})"
            case _:
                return f'$"{rng.choice(("", "a "))}{{{self._term()}}}"'

    def _reference(self) -> str:
        rng = self._rng
        head = rng.choice(("input", "data.fuzz", "data.xs", *VARIABLES, "p0", "p1"))
        steps = (".x", ".y", "[_]", "[0]", "[x]", "[k]", '["a"]', ".review.object")
        return head + "".join(rng.choice(steps) for _ in range(rng.randrange(4)))
