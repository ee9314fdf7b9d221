"""The long fuzz: generated and mutated Rego and CEL through parser, checks, compiler and evaluation.

    python -m tests.fuzz --minutes 10 [--part languages|apiserver|admission] [--seed N] [--corpus DIR]

Whatever the source, nothing may come out but values and diagnostics, and no evaluation may outlive its deadline by
a second. What breaks this is written to ``fuzz-failures/``, printed, and makes the exit status 1. Seeds are the
modules of this repository and, with ``--corpus``, those of a folder of compliance cases.

The part ``apiserver`` is hostile clients of an API server instead (``tests.fuzz.apiserver``), ``admission`` those of
the webhook (``tests.fuzz.admission``).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from sekisho import rego
from sekisho.diag import Diagnostic, DiagnosticError, Source
from sekisho.lang.meter import Limits
from sekisho.rego.lexer import tokenize
from tests.fuzz import admission, apiserver, cel
from tests.fuzz.generate import Generator

ROOT = Path(__file__).parents[2]
FAILURES = Path("fuzz-failures")
SECONDS = 0.5
GRACE = 1.0
LIMITS = Limits(seconds=SECONDS)

PIECES = [
    *"[]{}(),:.;+-*/%&|=<>!#\n",
    *(
        ":=",
        "==",
        "!=",
        "<=",
        ">=",
        '"s"',
        "`r`",
        '$"{x}"',
        "set()",
        "{}",
        "[]",
        "_",
        "x",
        "y",
        "input",
        "data",
    ),
    *("not ", "some x in ", "every x in ", "default ", "else := ", " if ", " contains ", " with input as "),
    *("1", "0.1", "1e300", "99999999999999999999", "null", "true", "false", "numbers.range(1, 1000000)"),
    *(
        "sprintf(",
        "concat(",
        "count(",
        "walk(",
        "regex.match(",
        "json.unmarshal(",
        "[x | ",
        "{x | ",
        "{x: y | ",
    ),
]

INPUTS = [
    None,
    {},
    {"x": 1, "y": [1, "a", None, {"b": [True, False]}]},
    [1, [2, [3, [4]]]],
    "text",
    {"review": {"object": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}}}},
]


def corpus(folder: str | None) -> list[tuple[rego.Dialect, str]]:
    """The seeds, each with its dialect."""
    seeds = [(rego.Dialect.V1, file.read_text(encoding="utf-8")) for file in sorted(ROOT.rglob("*.rego"))]
    for file in sorted(Path(folder).rglob("*.json")) if folder else ():
        dialect = rego.Dialect.V0 if "v0" in file.parts else rego.Dialect.V1
        for case in json.loads(file.read_text(encoding="utf-8")).get("cases", ()):
            seeds += [(dialect, text) for text in case.get("modules") or ()]
    return seeds


def mutate(text: str, rng: random.Random) -> str:
    """The text with a few tokens removed, doubled, swapped or put in."""
    for _ in range(rng.randint(1, 4)):
        try:
            tokens = tokenize(text)
        except DiagnosticError:
            return text
        if len(tokens.starts) < 3:
            return text
        a, b = sorted(rng.randrange(len(tokens.starts) - 1) for _ in range(2))
        start, end = tokens.starts[a], tokens.ends[a]
        match rng.randrange(5):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:end] + " " + text[start:end] + text[end:]
            case 2:
                text = text[:start] + rng.choice(PIECES) + text[end:]
            case 3:
                text = text[:start] + rng.choice(PIECES) + text[start:]
            case _:
                other = text[tokens.starts[b] : tokens.ends[b]]
                text = text[:start] + other + text[end:]
    return text


def attempt(dialect: rego.Dialect, text: str, rng: random.Random) -> str:
    """Compile and evaluate; says how far it came. Any exception but DiagnosticError is a failure."""
    found: tuple[Diagnostic, ...] = ()
    try:
        program = rego.compile({"fuzz.rego": Source("fuzz.rego", text)}, dialect=dialect, limits=LIMITS)
    except DiagnosticError as error:
        found = error.diagnostics
    else:
        return evaluate(program, rng)
    assert all(finding.message and finding.code.page() for finding in found)
    return "refused"


def evaluate(program: rego.Program, rng: random.Random) -> str:
    """Ask for every document; the deadline holds to within a second."""
    start = time.monotonic()
    try:
        program.query("data").eval(rng.choice(INPUTS), {"a": {"b": 1}, "xs": [1, 2, 3]})
        return "evaluated"
    except DiagnosticError:
        return "failed"
    finally:
        took = time.monotonic() - start
        assert took < SECONDS + GRACE, f"evaluation took {took:.1f} s"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--corpus", default=None)
    parser.add_argument("--part", choices=("languages", "apiserver", "admission"), default="languages")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(2**32)
    if options.part != "languages":
        return hostile_clients(options.part, options.minutes, seed)
    return languages(options, seed)


def hostile_clients(part: str, minutes: float, seed: int) -> int:
    """Attack an API server or a webhook, and tell what that showed."""
    found: apiserver.Found | admission.Found
    if part == "admission":
        found = admission.run(seconds=minutes * 60, rng=random.Random(seed))
    else:
        with tempfile.TemporaryDirectory() as folder:
            found = apiserver.run(Path(folder) / "data", seconds=minutes * 60, rng=random.Random(seed))
    for number, (what, sent) in enumerate(found.failures.items(), 1):
        FAILURES.mkdir(exist_ok=True)
        (FAILURES / f"{part}-{number:03}").write_bytes(sent)
        print(what)
    counts = ", ".join(f"{count} {name}" for name, count in found.counts.most_common())
    codes = ", ".join(f"{count} of {code}" for code, count in sorted(found.codes.items()))
    print(f"seed {seed}: {counts}; answers: {codes}")
    print(f"{found.most:.0f} MB at most; a good client waited {found.slowest:.2f} s at most")
    return int(bool(found.failures))


def languages(options: argparse.Namespace, seed: int) -> int:
    """Rego and CEL until the time is up."""
    rng = random.Random(seed)
    seeds = corpus(options.corpus)
    until = time.monotonic() + options.minutes * 60
    counts: Counter[str] = Counter()
    failures: dict[str, str] = {}
    dialect = rego.Dialect.V1
    while time.monotonic() < until:
        in_cel = rng.random() < 0.4
        if in_cel:
            text = cel.text(rng)
        elif rng.random() < 0.4:
            dialect, text = rego.Dialect.V1, Generator(rng).module()
        else:
            dialect, text = rng.choice(seeds)
            # One in four stays as it is: most mutants are refused, and the evaluator is to see enough too.
            text = mutate(text, rng) if rng.random() < 0.75 else text
        try:
            counts[cel.attempt(text, rng) if in_cel else attempt(dialect, text, rng)] += 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            counts["broken"] += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            key = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}: {str(error)[:100]}"
            if key not in failures:
                failures[key] = text
                FAILURES.mkdir(exist_ok=True)
                suffix, mark = ("cel", "//") if in_cel else (f"{dialect.value}.rego", "#")
                file = FAILURES / f"{len(failures):03}.{suffix}"
                file.write_text(f"{mark} {key}\n{text}", encoding="utf-8")
                print(key, flush=True)
    print(f"seed {seed}: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
