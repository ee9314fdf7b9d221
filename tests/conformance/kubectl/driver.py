"""A kubectl, a cluster for it, and what a row may do with them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SRC = Path(__file__).parents[3] / "src"
SECONDS = 60.0
"""How long one command may take: far more than any should."""

FOLDERS = ("/usr/lib/google-cloud-sdk/bin", "/usr/local/bin", "/usr/bin")
"""Where kubectls may be that no path was given for."""

DISPATCHER = 1_000_000
"""A program under this size only starts another kubectl, by what version the server says it has."""


class Unexpected(AssertionError):
    """A command did something else than it should."""


def version_of(program: Path) -> tuple[int, int]:
    """Major and minor version of a kubectl."""
    run = subprocess.run(
        [str(program), "version", "--client", "-o", "json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    found = json.loads(run.stdout)["clientVersion"]
    return int(found["major"]), int(re.sub(r"\D.*", "", found["minor"]))


def installed() -> list[Path]:
    """The kubectls of this machine that say by their names which version they are, oldest first."""
    found: dict[tuple[int, int], Path] = {}
    for folder in FOLDERS:
        for program in Path(folder).glob("kubectl.1.*"):
            found.setdefault(version_of(program), program)
    return [found[version] for version in sorted(found)]


@dataclass(frozen=True)
class Done:
    """What a command said."""

    command: str
    code: int
    out: str
    err: str


@dataclass
class Kubectl:
    """One kubectl in one namespace. ``folder`` holds the row's files; commands run there."""

    program: Path
    kubeconfig: Path
    folder: Path
    namespace: str
    minor: int
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, command: str, stdin: str = "", *, everywhere: bool = False) -> Done:
        """Run a command line, as a shell would split it."""
        words = shlex.split(command)
        where = [] if everywhere else ["--namespace", self.namespace]
        done = subprocess.run(
            [str(self.program), *where, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=self.folder,
            env=self._environment(),
            check=False,
        )
        return Done(command, done.returncode, done.stdout, done.stderr)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder.parent),
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECTL_COMMAND_HEADERS": "true",
            **self.environment,
        }

    def ok(self, command: str, *patterns: str, stdin: str = "") -> str:
        """A command that works and whose output matches the patterns; its output."""
        done = self.run(command, stdin)
        if done.code != 0:
            raise Unexpected(f"kubectl {command}: status {done.code}: {done.err.strip() or done.out.strip()}")
        return _matched(done, done.out + done.err, patterns)

    def fails(self, command: str, *patterns: str, stdin: str = "", code: int | None = None) -> str:
        """A command that fails, and says what the patterns match."""
        done = self.run(command, stdin)
        if done.code == 0:
            raise Unexpected(f"kubectl {command}: did not fail: {done.out.strip()}")
        if code is not None and done.code != code:
            raise Unexpected(f"kubectl {command}: status {done.code} instead of {code}: {done.err.strip()}")
        return _matched(done, done.out + done.err, patterns)

    def value(self, command: str, path: str) -> str:
        """A field of an object: ``get`` with a JSONPath."""
        return self.ok(f"{command} -o jsonpath={shlex.quote('{' + path + '}')}")

    def file(self, name: str, text: str) -> str:
        """Write a file of the row; its name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name

    @contextmanager
    def background(self, command: str) -> Iterator[Callable[[str], str]]:
        """A command that goes on; call what it gives to wait until its output matches."""
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(
                [str(self.program), "--namespace", self.namespace, *shlex.split(command)],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._environment(),
            )

            def wait(pattern: str) -> str:
                end = time.monotonic() + 15
                while time.monotonic() < end:
                    text = os.pread(out.fileno(), 1_000_000, 0).decode()
                    if re.search(pattern, text):
                        return text
                    time.sleep(0.05)
                raise Unexpected(f"kubectl {command}: no {pattern!r} in {text!r}")

            try:
                yield wait
            finally:
                process.kill()
                process.wait()


def _matched(done: Done, text: str, patterns: tuple[str, ...]) -> str:
    for pattern in patterns:
        if not re.search(pattern, text, re.MULTILINE):
            raise Unexpected(f"kubectl {done.command}: no {pattern!r} in {text.strip()!r}")
    return done.out


@contextmanager
def cluster(folder: Path) -> Iterator[Path]:
    """A cluster of its own in a folder, as a process; its kubeconfig."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sekisho", "up", "--data", str(folder), "--port", "0", "-o", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise SystemExit(f"the cluster does not start: {process.communicate()[1]}")
        yield Path(json.loads(said)["kubeconfig"])
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=30)
        if errors:
            print(f"the server said: {errors}", file=sys.stderr)
