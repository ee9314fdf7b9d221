"""Runs a program of googletest case by case, however it ends."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Final

PASSED, FAILED, SKIPPED, HUNG, DIED = "passed", "failed", "skipped", "hung", "died"
LINE: Final = re.compile(rb"^\[ +(RUN|OK|FAILED|SKIPPED) +\] (\S+?)(,.*| \(\d+ ms.*\))?$")
WORDS: Final = {b"OK": PASSED, b"FAILED": FAILED, b"SKIPPED": SKIPPED}
LONGEST: Final = 1 << 20
"""Bytes of one line that are looked at."""
AGAIN: Final = 60
"""How often a program is started anew after a case that it did not survive; the rest of its cases died too."""


def names(command: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """The cases of a program, as filters name them."""
    run = subprocess.run(
        [*command, "--gtest_list_tests"], capture_output=True, env=env, timeout=60, check=False
    )
    found, suite = [], ""
    for line in run.stdout.decode("utf-8", "replace").splitlines():
        text = line.partition("#")[0].rstrip()
        if text.startswith("  "):
            found.append(suite + text.strip())
        elif text.endswith("."):
            suite = text
    return found


class Runner:
    """Runs programs in one way. ``before`` is what stands before their own command line."""

    def __init__(self, before: Sequence[str], env: Mapping[str, str], *, seconds: float) -> None:
        self._before = before
        self._env = env
        self._seconds = seconds

    def run(self, program: str, cases: Sequence[str]) -> dict[str, str]:
        """How each case ended. A case that hangs or takes the program with it is alone in that."""
        results: dict[str, str] = {}
        left = list(cases)
        for _ in range(AGAIN):
            if not left:
                break
            at = self._once(program, left, results)
            if at is not None:
                results.setdefault(at, DIED)
            elif all(case not in results for case in left):
                results[left[0]] = DIED  # it did not even begin
            left = [case for case in left if case not in results]
        return results | dict.fromkeys(left, DIED)

    def _once(self, program: str, cases: Sequence[str], results: dict[str, str]) -> str | None:
        """Run cases until one does not come back; that one, or None at the end."""
        # A list of names may be longer than an argument, so it goes by the environment.
        env = {**self._env, "GTEST_FILTER": ":".join(cases)}
        if len(env["GTEST_FILTER"]) > 100_000:
            env["GTEST_FILTER"] = ":".join(
                cases[: max(1, len(cases) * 100_000 // len(env["GTEST_FILTER"]) - 1)]
            )
        child = subprocess.Popen(
            [*self._before, program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
        try:
            return self._watch(child, results)
        finally:
            end(child)

    def _watch(self, child: subprocess.Popen[bytes], results: dict[str, str]) -> str | None:
        assert child.stdout is not None
        fd = child.stdout.fileno()
        os.set_blocking(fd, False)
        current: str | None = None
        rest = b""
        until = time.monotonic() + self._seconds
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            while True:
                if not selector.select(max(0.0, until - time.monotonic())):
                    if current is not None:
                        results[current] = HUNG
                    return current
                data = os.read(fd, 65_536)
                if not data:
                    return current
                *lines, rest = (rest + data).split(b"\n")
                rest = rest[-LONGEST:]
                for line in lines:
                    found = LINE.match(line)
                    if found is None:
                        continue
                    name = found[2].decode()
                    if found[1] == b"RUN":
                        current, until = name, time.monotonic() + self._seconds
                    elif name == current:
                        results[name] = WORDS[found[1]]
                        current = None


def end(child: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started in its session."""
    with contextlib.suppress(ProcessLookupError):  # it may have gone by itself
        os.killpg(child.pid, signal.SIGKILL)
    if child.stdout is not None:
        child.stdout.close()
    child.wait()
