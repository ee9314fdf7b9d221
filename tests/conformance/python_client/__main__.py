"""The ``kubernetes`` Python package against ``sekisho up``: ``python -m tests.conformance.python_client``.

The package need not be where sekisho is: ``--python`` names an interpreter that has it, or KUBERNETES_CLIENT does,
or it is this one. Where none has it, that is said, and the status is 0: nothing failed. Prints each case, then
``N passed, M failed``; a case listed in ``expected.json`` fails for the reason given there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.simulators.up import PLAYED, Up

HERE = Path(__file__).parent
SECONDS = 300.0
"""How long all cases may take."""


def version_of(python: str) -> str:
    """Which version of the package an interpreter has; empty without it."""
    command = [python, "-c", "import kubernetes; print(kubernetes.__version__)"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def lines(python: str, folder: Path, names: list[str]) -> Iterator[str]:
    """What the cases say, against a server of their own, which starts anew when they ask for it."""
    up = Up.start(folder)
    played = Up.start(folder.with_name("played"), module=PLAYED)
    command = [python, str(HERE / "cases.py"), str(up.kubeconfig), str(played.kubeconfig), *names]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    timer = threading.Timer(SECONDS, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            if line.strip() == "need restart":
                up.kill()
                up = Up.start(folder, port=up.port)
                process.stdin.write("\n")
                process.stdin.flush()
            else:
                yield line.rstrip()
        if process.wait() not in (0, 1):
            yield f"failed all: the client ended with {process.returncode}"
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
        up.stop()
        played.stop()


def main(arguments: list[str]) -> int:
    """Run the cases; 0 when exactly the expected ones fail."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.python_client")
    parser.add_argument("names", nargs="*", help="cases; all of them by default")
    parser.add_argument("--python", default=os.environ.get("KUBERNETES_CLIENT") or sys.executable)
    options = parser.parse_args(arguments)
    version = version_of(options.python)
    if not version:
        print(f"skipped: {options.python} has no package kubernetes (pip install kubernetes; --python)")
        return 0
    expected: dict[str, str] = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
    passed, failed, wrong = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for line in lines(options.python, Path(folder) / "data", options.names):
            what, _, rest = line.partition(" ")
            name = rest.partition(":")[0]
            passed, failed = passed + (what == "ok"), failed + (what == "failed")
            known = expected.get(name)
            wrong += (what == "failed") != (known is not None)
            print(line if what != "failed" or known is None else f"{line} (expected: {known})", flush=True)
    print(f"kubernetes {version}: {passed} passed, {failed} failed")
    return int(wrong > 0 or passed + failed == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
