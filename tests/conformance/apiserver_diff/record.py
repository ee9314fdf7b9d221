"""Records what a real server answers: ``python -m tests.conformance.apiserver_diff.record URL TOKEN``.

Writes ``tests/data/apiserver/recorded.json.gz`` from the scenarios, and with ``--generated COUNT`` the file
``generated.json.gz`` from random sequences. The server must be new: ``tests/e2e/apiserver_oracle`` starts one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable

from tests.conformance.apiserver_diff.generate import DEFINITION, generated
from tests.conformance.apiserver_diff.recording import DATA, Ask, Pair, Server, namespace_of, save, scenarios
from tests.conformance.apiserver_diff.servers import Real

SETTLED = 10.0
"""Seconds until a new definition is served."""

COMMAND = "python -m tests.conformance.apiserver_diff.record URL TOKEN --generated 120"


def run(server: Server, rows: Iterable[tuple[str, list[Ask]]]) -> list[Pair]:
    """The pairs of all scenarios."""
    found = []
    for name, asks in rows:
        server.ask(namespace_of(name))
        for step, ask in enumerate(asks, 1):
            found.append(Pair(scenario=name, step=step, ask=ask, answer=server.ask(ask)))
    return found


def main(arguments: list[str]) -> int:
    """Record."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.apiserver_diff.record")
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--generated", type=int, default=0, metavar="COUNT")
    options = parser.parse_args(arguments)
    server = Real(options.url, options.token)
    version = server.ask(Ask(method="GET", path="/version")).body["gitVersion"]
    about = {"kubernetes": version, "command": COMMAND}
    pairs = run(server, scenarios())
    save(DATA / "recorded.json.gz", about, pairs)
    print(f"{len(pairs)} pairs of {version}")
    if options.generated:
        server.ask(DEFINITION)
        time.sleep(SETTLED)
        made = run(server, generated(options.generated))
        save(DATA / "generated.json.gz", about, made)
        print(f"{len(made)} generated pairs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
