"""Whether the suites of the library notice mistakes in its templates: ``python -m tests.mutation``.

Every source of every template (its own Rego, and the libraries in it) is changed in one place, the template is
compiled, and its suite is run. A mutant is found if an assertion fails, or if it does not compile. One that
lives is printed, and must be listed in ``survivors.json`` with the reason; so must none that is found.

    python -m tests.mutation [--only TEXT] [--sample N] [--seed S]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sekisho.cli.policy.suitefiles import DiskFiles, find_suites
from sekisho.diag import DiagnosticError, Source
from sekisho.policy.code import Code, Compiled
from sekisho.policy.compiler import compile_code
from sekisho.policy.library import entry, entry_names
from sekisho.policy.library.files import ROOT
from sekisho.policy.suite import Suite
from sekisho.policy.template import load_template
from sekisho.policy.verify import Runner
from tests.mutation.mutants import Mutant, mutants

SURVIVORS = Path(__file__).with_name("survivors.json")


@dataclass(frozen=True)
class Seeded:
    """A mutant of one of the sources of a policy's template; the first source is its own."""

    policy: str
    index: int
    source: str
    package: str
    mutant: Mutant

    @property
    def name(self) -> str:
        """What it goes by in the list of survivors, the same for a library wherever it is."""
        return f"{self.package}: {self.mutant.describe(self.source)}"


def seeded(policy: str) -> Iterator[Seeded]:
    """Every mutant of a policy's template."""
    sources: list[str] = []

    def remember(code: Code) -> Compiled:
        sources.extend(source.text for source in code.sources)
        return compile_code(code)

    load_template(entry(policy).template, compile=remember)
    for index, text in enumerate(sources):
        package = text.partition("\n")[0].removeprefix("package ")
        for mutant in mutants(Source("mutant.rego", text)):
            yield Seeded(policy, index, text, package, mutant)


def lives(row: Seeded, suite: Suite, files: DiskFiles) -> bool:
    """Whether a suite does not notice a mutant."""
    text = row.mutant.apply(row.source)

    def compile(code: Code) -> Compiled:
        sources = list(code.sources)
        sources[row.index] = Source(f"mutant of {sources[row.index].name}", text)
        return compile_code(replace(code, main=sources[0], libs=tuple(sources[1:])))

    try:
        return not Runner(files, compile=compile).run(suite).failed
    except DiagnosticError:
        return False


def drawn(rows: list[Seeded], count: int, seed: int) -> list[Seeded]:
    """So many of them, drawn by chance; all for 0."""
    return random.Random(seed).sample(rows, min(count, len(rows))) if count else rows


def run(rows: list[Seeded]) -> Iterator[tuple[Seeded, bool, str | None]]:
    """Each mutant, whether it lives, and the reason why it may."""
    reasons = json.loads(SURVIVORS.read_text(encoding="utf-8"))
    files = DiskFiles()
    suites = {}
    for row in rows:
        if row.policy not in suites:
            (suites[row.policy],) = find_suites((str(ROOT / "policies" / row.policy / "suite.yaml"),))
        reason = reasons.get(row.policy, {}).get(row.name)
        yield row, lives(row, suites[row.policy], files), reason


def main(arguments: list[str]) -> int:
    """Run the mutants; 0 when exactly those that are listed live."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--only", default="", help="only policies whose name contains this text")
    parser.add_argument("--sample", type=int, default=0, help="only so many mutants, drawn by chance")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    names = [name for name in entry_names() if options.only in name]
    rows = drawn([row for name in names for row in seeded(name)], options.sample, options.seed)
    start = time.monotonic()
    found = survived = surprises = 0
    for row, alive, reason in run(rows):
        survived, found = survived + alive, found + (not alive)
        surprises += alive != (reason is not None)
        if alive:
            print(f"{'lives as listed' if reason else 'LIVES'}: {row.policy}: {row.name}", flush=True)
        elif reason is not None:
            print(f"FOUND although listed: {row.policy}: {row.name}", flush=True)
    seconds = time.monotonic() - start
    print(f"{len(rows)} mutants, {found} found, {survived} live ({seconds:.0f} s)")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
