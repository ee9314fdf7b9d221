"""Runs every kubectl command that the embedded API answers: ``python -m tests.conformance.kubectl``.

    python -m tests.conformance.kubectl [--kubectl PATH ...] [--only TEXT] [--no-docs]

Without paths, every ``kubectl.1.NN`` of this machine. Each version gets a cluster of its own, each row a
namespace. Prints each failing row, then ``N passed, M failed`` on a line of its own, and writes
``docs/reference/kubectl.md``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conformance.kubectl.driver import PLAYED, Kubectl, cluster, installed, version_of
from tests.conformance.kubectl.rows import Row, all_rows

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "kubectl.md"

Results = dict[int, dict[str, str | None]]
"""Minor version → row → why it failed, None if it passed. Rows that a version does not have are left out."""


def run_version(program: Path, rows: list[Row], folder: Path) -> dict[str, str | None]:
    """Every row with one kubectl."""
    _, minor = version_of(program)
    found: dict[str, str | None] = {}
    with cluster(folder / "data") as kubeconfig, cluster(folder / "played", PLAYED) as played:
        for number, row in enumerate(rows):
            if row.since > minor:
                continue
            place = folder / f"row-{number}"
            place.mkdir()
            k = Kubectl(program, played if row.played else kubeconfig, place, f"row-{number}", minor)
            start = time.monotonic()
            found[row.command] = why = _run(k, row)
            if why is not None:
                print(f"FAILS: 1.{minor} {row.command}: {why}", flush=True)
            elif (seconds := time.monotonic() - start) > 25:
                print(f"slow: 1.{minor} {row.command}: {seconds:.0f} s", flush=True)
    return found


def _run(k: Kubectl, row: Row) -> str | None:
    try:
        k.ok(f"create ns {k.namespace}")
        row.work(k)
        k.run(f"delete ns {k.namespace} --wait=false")
    except (AssertionError, subprocess.SubprocessError, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}"[:2_000]
    return None


def page(rows: list[Row], results: Results) -> str:
    """The table of what passes with which version."""
    minors = sorted(results)
    lines = [
        "# kubectl",
        "",
        "Which commands of which kubectl work with `sekisho up`. Written by `python -m tests.conformance.kubectl`,",
        "which drives each command with the real program; a row stands for several commands and what they print.",
        "",
        f"| | command | {' | '.join(f'1.{minor}' for minor in minors)} |",
        f"| --- | --- | {' | '.join('---' for _ in minors)} |",
    ]
    before = ""
    for row in rows:
        cells = []
        for minor in minors:
            cells.append(
                "" if row.command not in results[minor] else "no" if results[minor][row.command] else "yes"
            )
        group, before = ("" if row.group == before else row.group), row.group
        command = row.command.replace("|", "\\|")
        lines.append(f"| {group} | {command} | {' | '.join(cells)} |")
    lines += ["", "An empty cell: that kubectl does not have the command.", ""]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run the rows; 0 when all pass."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.kubectl")
    parser.add_argument(
        "--kubectl", type=Path, nargs="+", default=[], help="the programs; all of the machine's by default"
    )
    parser.add_argument("--only", default="", help="only rows whose command contains this text")
    parser.add_argument("--no-docs", action="store_true", help="do not write docs/reference/kubectl.md")
    options = parser.parse_args(arguments)
    programs = options.kubectl or installed()
    if not programs:
        print("there is no kubectl.1.NN on this machine; name one with --kubectl")
        return 0
    rows = [row for row in all_rows() if options.only in row.command]
    results: Results = {}
    for program in programs:
        folder = Path(tempfile.mkdtemp(prefix="sekisho-kubectl-"))
        try:
            results[version_of(program)[1]] = run_version(program, rows, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    every = [why for found in results.values() for why in found.values()]
    failed = sum(why is not None for why in every)
    if not options.only and not options.no_docs:
        PAGE.write_text(page(rows, results), encoding="utf-8")
    print(f"{len(every) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
