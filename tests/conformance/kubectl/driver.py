"""A kubectl, a cluster for it, and what a row may do with them."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
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
    """The kubectls of this machine that say by their names which version they are, oldest first.

    Those on PATH come before those of folders where kubectls often are.
    """
    found: dict[tuple[int, int], Path] = {}
    for folder in (*filter(None, os.environ.get("PATH", "").split(os.pathsep)), *FOLDERS):
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


class Terminal:
    """The person's end of a terminal that a command runs on. ``code`` is its exit status once it has ended."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._seen = ""
        self.code = -1

    def resize(self, *, columns: int, rows: int) -> None:
        """Change its size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._master, text.encode())

    def expect(self, pattern: str) -> None:
        """Wait until what was shown since the last time matches."""
        end = time.monotonic() + 15
        while not (found := re.search(pattern, self._seen)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._master], [], [], left)[0]:
                raise Unexpected(f"no {pattern!r} on the terminal: {self._seen!r}")
            try:
                self._seen += os.read(self._master, 65_536).decode()
            except OSError:
                raise Unexpected(f"the command ended; no {pattern!r} in {self._seen!r}") from None
        self._seen = self._seen[found.end() :]


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

    def upgrades(self) -> list[str]:
        """The streams of the cluster so far: subresource and protocol (``tests.simulators.played``)."""
        file = self.kubeconfig.parent / "upgrades"
        return file.read_text(encoding="ascii").splitlines() if file.exists() else []

    @contextmanager
    def terminal(self, command: str, *, columns: int, rows: int) -> Iterator[Terminal]:
        """A command on a terminal of that size."""
        master, slave = os.openpty()
        found = Terminal(master)
        found.resize(columns=columns, rows=rows)
        process = subprocess.Popen(
            [str(self.program), "--namespace", self.namespace, *shlex.split(command)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=self.folder,
            env=self._environment(),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(slave)
        try:
            yield found
            found.code = process.wait(15)
        finally:
            process.kill()
            process.wait()
            os.close(master)

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


UP = ("sekisho", "up", "--port", "0", "-o", "json", "--data")
PLAYED = ("tests.simulators.played",)
"""Modules that serve a cluster, with their arguments before the folder."""


@contextmanager
def cluster(folder: Path, module: tuple[str, ...] = UP) -> Iterator[Path]:
    """A cluster of its own in a folder, as a process; its kubeconfig."""
    process = subprocess.Popen(
        [sys.executable, "-m", *module, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=SRC.parent,
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
