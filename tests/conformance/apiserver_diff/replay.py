"""Replaying a recording on the embedded server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from tests.conformance.apiserver_diff.generate import DEFINITION, FILE
from tests.conformance.apiserver_diff.recording import Pair, differences, load, namespace_of, normal
from tests.conformance.apiserver_diff.servers import Ours

EXPECTED: Final = Path(__file__).with_name("expected.yaml")


class Outcome(NamedTuple):
    """A pair, where our answer differs, and why that is expected (None if it is not)."""

    pair: Pair
    lines: list[str]
    reason: str | None


def expected() -> dict[tuple[str, int], str]:
    """Scenario and step of the differences that are known, with the reason for each."""
    rows = yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))
    return {
        (name, step): row["reason"] for row in rows for name, steps in row["steps"].items() for step in steps
    }


def replay(file: Path, folder: Path, *, only: str = "") -> Iterator[Outcome]:
    """Ask our server what a recording asked the real one."""
    known, scenario = expected(), ""
    with Ours(folder) as server:
        if file.name == FILE:
            server.ask(DEFINITION)
        for pair in load(file):
            if only not in pair.scenario:
                continue
            if pair.scenario != scenario:
                scenario = pair.scenario
                server.ask(namespace_of(scenario))
            found = server.ask(pair.ask)
            lines = differences(normal(pair.answer), normal(found))
            yield Outcome(pair, lines, known.get((pair.scenario, pair.step)))
