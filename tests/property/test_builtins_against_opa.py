"""Built-ins against the real OPA: generated calls, compared by value and spelling or by message.

Skipped where OPA is not installed. Where OPA is known to be wrong (the rows' notes say how), calls are left
out here.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.property import opa

from sekisho.rego.values import Number, Set

pytestmark = pytest.mark.skipif(not opa.present(), reason="OPA is not on this machine")

Calls = list[tuple[str, list[Any]]]
Generator = Callable[[random.Random], Calls]

N = Number
NUMBERS = [
    0, 1, -1, 2, 3, 7, 10, 16, -7, 255, 2**31, 2**63 - 1, 2**63, -(2**63), 10**18, N("0.1"), N("0.2"),
    N("1.5"), N("-2.5"), N("1e3"), N("1.0"), N("1.50"), N("1e-7"), N("123456.789"), N("1234567.25"),
    N("3.14159265358979323846264338327950288"), N("-0"), N("1E5"), N("9007199254740993.5"),
]  # fmt: skip
STRINGS = [
    "", "a", "b", "abc", "abcabc", "héé", "ß", " a b ", "1", "a.b.c", "/x/y/", "日本語", "ΣΑΣ", "İi", "ǆ", "ᾳ",
    "%", '"q"', "\n x\t", "a,b,,c", ",", "aaaa", "\u00a0x\u3000", "\x1fx", "🎉x",
]  # fmt: skip
SCALARS = [None, True, False, 0, 1, 2, "a", "b", "c", N("1.5")]


def number(rng: random.Random) -> Any:
    if rng.random() < 0.5:
        return rng.choice(NUMBERS)
    literal = f"{rng.choice(['', '-'])}{rng.randrange(10 ** rng.randrange(1, 12))}"
    return N(f"{literal}.{rng.randrange(1, 10 ** rng.randrange(1, 12))}")


def value(rng: random.Random, depth: int = 2, *, sets: bool = False) -> Any:
    kind = rng.random() if depth else 1.0
    if kind < 0.3:
        return {rng.choice("abcd"): value(rng, depth - 1, sets=sets) for _ in range(rng.randrange(4))}
    if kind < 0.5:
        return [value(rng, depth - 1, sets=sets) for _ in range(rng.randrange(4))]
    if sets and kind < 0.65:
        return Set.of([value(rng, depth - 1, sets=True) for _ in range(rng.randrange(4))])
    return rng.choice(SCALARS)


def integer(rng: random.Random) -> Any:
    return rng.choice([-3, -1, 0, 1, 2, 3, 10, 2**62, N("1.0"), 2**64])


def numbers(rng: random.Random) -> Calls:
    two = ("plus", "minus", "mul", "div", "rem", "bits.and", "bits.or", "bits.xor")
    calls: Calls = [(name, [number(rng), number(rng)]) for name in two for _ in range(25)]
    calls += [("bits.lsh", [number(rng), rng.choice([0, 1, 64, -1, N("1.5")])]) for _ in range(10)]
    calls += [("format_int", [number(rng), rng.choice([2, 8, 10, 16, 3])]) for _ in range(20)]
    calls += [("sum", [[number(rng) for _ in range(rng.randrange(5))]]) for _ in range(20)]
    calls += [("abs", [number(rng)]) for _ in range(20)]
    return [call for call in calls if not _rounded_by_opa(call)]


def _rounded_by_opa(call: tuple[str, list[Any]]) -> bool:
    return call[0] in {"div", "abs"} and any(type(o) is int and abs(o) >= 2**64 for o in call[1])


def collections(rng: random.Random) -> Calls:
    calls: Calls = []
    for _ in range(40):
        calls += [
            ("array.concat", [value(rng), [1]]),
            ("array.slice", [[1, 2, 3], integer(rng), integer(rng)]),
            ("object.get", [value(rng, 3), rng.choice(["a", ["a", "b"], 1, []]), "default"]),
            ("object.union", [value(rng, 3), value(rng, 3)]),
            ("object.union_n", [[value(rng), value(rng), value(rng)]]),
            ("object.filter", [value(rng, 3), ["a", "b"]]),
            ("object.remove", [value(rng, 3), {"a": 1}]),
            ("sort", [[value(rng, sets=True) for _ in range(5)]]),
            ("json.marshal", [value(rng, 3, sets=True)]),
            ("equal", [value(rng, sets=True), value(rng, sets=True)]),
            ("lt", [value(rng, sets=True), value(rng, sets=True)]),
        ]
    return calls


def strings(rng: random.Random) -> Calls:
    two = (
        "contains", "startswith", "endswith", "strings.count", "indexof", "indexof_n", "trim", "trim_left",
        "trim_right", "trim_prefix", "trim_suffix", "split",
    )  # fmt: skip
    one = ("lower", "upper", "trim_space", "strings.reverse", "count", "base64.encode", "hex.encode")
    text = lambda: rng.choice(STRINGS)  # noqa: E731
    calls: Calls = [(name, [text(), text()]) for name in two for _ in range(20)]
    calls += [(name, [text()]) for name in one for _ in range(15)]
    calls += [("substring", [text(), integer(rng), integer(rng)]) for _ in range(30)]
    calls += [("strings.split_n", [text(), text(), integer(rng)]) for _ in range(20)]
    calls += [("replace", [text(), rng.choice(["a", "é", "bc"]), text()]) for _ in range(20)]
    calls += [("strings.replace_n", [{"a": text(), "ab": text(), "é": "x"}, text()]) for _ in range(20)]
    calls += [("concat", [text(), [text(), text()]]) for _ in range(10)]
    return calls


def formats(rng: random.Random) -> Calls:
    arguments = [*NUMBERS, *STRINGS, None, True, [1, "a"], {"a": N("1.0")}, Set.of([2, 1]), Set.of([])]
    calls: Calls = []
    for _ in range(500):
        template = ""
        for _ in range(rng.randrange(1, 4)):
            flags = "".join(rng.choice("#0+- ") for _ in range(rng.choice([0, 0, 1, 2])))
            width = rng.choice(["", "", "", "5", "12", "*", "[1]"])
            precision = rng.choice(["", "", "", ".", ".2", ".*"])
            template += (
                f"{rng.choice(['', 'é ', '%%'])}%{flags}{width}{precision}{rng.choice('vsdqxXfeEgGtcobUOTz')}"
            )
        calls.append(("sprintf", [template, [rng.choice(arguments) for _ in range(rng.randrange(4))]]))
    return calls


def expressions(rng: random.Random) -> Calls:
    patterns = [
        "a",
        "a*",
        "",
        "^a",
        "(a)(b)?",
        "[a-z]+",
        r"\d+",
        "(?i)ABC",
        "é",
        "(?P<n>b+)",
        "b|",
        r"\b",
        "(",
        "a+?",
    ]
    texts = ["", "a", "abc", "aabbaa", "héllo é", "AbC", "a1b22", "日本", "aaa"]
    templates = ["", "x", "$0", "$1", "${1}x", "$1x", "$n", "$$", "$", "${", "[$0]"]
    globs = ["a", "b", ".", "[a-c]", "[b-d]", r"\."]
    calls: Calls = []
    for _ in range(60):
        pattern, text = rng.choice(patterns), rng.choice(texts)
        calls += [
            ("regex.match", [pattern, text]),
            ("regex.find_n", [pattern, text, rng.choice([-1, 0, 1, 2])]),
            ("regex.find_all_string_submatch_n", [pattern, text, -1]),
            ("regex.split", [pattern, text]),
            ("regex.replace", [text, pattern, rng.choice(templates)]),
        ]
        left, right = (
            "".join(rng.choice(globs) + rng.choice(["", "+", "*"]) for _ in range(rng.randrange(5)))
            for _ in range(2)
        )
        calls.append(("regex.globs_match", [left, right]))
    return calls


def times(rng: random.Random) -> Calls:
    zones = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Foo/Bar"]
    layouts = ["RFC3339Nano", "RFC850", "Jan _2 06 3:04:05.000pm MST", "2006 002 Z0700", "Monday 15h"]
    calls: Calls = []
    for _ in range(60):
        moment = [rng.randrange(-(2**63), 2**63), rng.choice(zones), rng.choice(layouts)]
        calls += [
            ("time.format", [moment]),
            ("time.clock", [moment[:2]]),
            ("time.diff", [moment[:2], rng.randrange(-(2**63), 2**63)]),
            (
                "time.add_date",
                [moment[:2], rng.choice([0, 1, -5]), rng.randrange(-30, 30), rng.randrange(99)],
            ),
            (
                "time.parse_duration_ns",
                [f"{rng.choice(['', '-'])}{rng.randrange(99)}.5{rng.choice('hmsdwyx')}3s"],
            ),
            (
                "time.parse_rfc3339_ns",
                [f"20{rng.randrange(99):02d}-{rng.randrange(14):02d}-1{rng.randrange(12)}T1:00:00Z"],
            ),
        ]
    return calls


@pytest.mark.parametrize("generate", [numbers, collections, strings, formats, expressions, times])
def test_calls_give_what_opa_gives(generate: Generator) -> None:
    calls = generate(random.Random(20261124))
    for call, theirs in zip(calls, opa.theirs(calls), strict=True):
        if theirs is not None:
            assert opa.ours(*call) == theirs, call
