"""Further programs in a running sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.sandbox.inside import needs_sandbox

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.spawn import host, join, launch
from sekisho.sandbox.spawn.launch import Running
from sekisho.sandbox.spec import Process, Root, SandboxSpec, User

pytestmark = needs_sandbox


def spec(*argv: str, terminal: bool = False) -> SandboxSpec:
    user = User(uid=os.geteuid(), gid=os.getegid())
    return SandboxSpec(
        id="test",
        process=Process(argv=argv, env=("PATH=/usr/bin:/bin",), user=user, terminal=terminal),
        root=Root(path="/", writes="memory"),
        mounts=host.SYSTEM,
        options=frozenset({"sealed-network"}),
    )


@pytest.fixture
def control(tmp_path: Path) -> str:
    return str(tmp_path / "control")


@pytest.fixture
def running(control: str) -> Iterator[Running]:
    made = launch.start(spec("/bin/sleep", "100"), own_process=True, control=control)
    yield made
    made.kill()
    made.wait()
    made.close()


def status(joined: join.Joined) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(joined.pid, 0)[1])


def test_it_sees_the_same_files_and_processes(running: Running, control: str) -> None:
    def enter(script: str) -> int:
        return status(join.enter(spec("/bin/sh", "-c", script), init_pid=running.init, control=control))

    assert enter("echo 1 > /etc/made-inside") == 0
    assert not Path("/etc/made-inside").exists()
    assert enter("test $(cat /etc/made-inside) = 1 && grep -q sleep /proc/1/cmdline && exit 7") == 7


def test_what_it_leaves_behind_is_still_answered(running: Running, control: str) -> None:
    script = "(sleep 0.3; echo late > /tmp/late-inside) & exit 0"
    assert status(join.enter(spec("/bin/sh", "-c", script), init_pid=running.init, control=control)) == 0
    wait = "for i in 1 2 3 4 5 6 7 8 9; do test -e /tmp/late-inside && exit 0; sleep 0.1; done; exit 1"
    assert status(join.enter(spec("/bin/sh", "-c", wait), init_pid=running.init, control=control)) == 0


def test_terminal(running: Running, control: str) -> None:
    made = spec("/bin/sh", "-c", "tty; sleep 0.2", terminal=True)
    joined = join.enter(made, init_pid=running.init, control=control)
    assert os.read(joined.console, 99) == b"/dev/pts/0\r\n"
    os.close(joined.console)
    status(joined)


def test_it_may_end_the_first_program(running: Running, control: str) -> None:
    assert status(join.enter(spec("/bin/kill", "-9", "1"), init_pid=running.init, control=control)) == 0
    assert (
        status(join.enter(spec("/bin/sh", "-c", "kill -TERM 1"), init_pid=running.init, control=control)) == 0
    )


def test_program_that_is_not_there(running: Running, control: str) -> None:
    with pytest.raises(SandboxError, match="SBX014"):
        join.enter(spec("/no/such"), init_pid=running.init, control=control)


def test_sandbox_that_has_ended(control: str) -> None:
    made = launch.start(spec("/bin/true"), own_process=True, control=control)
    made.wait()
    made.close()
    with pytest.raises(SandboxError, match="SBX019"):
        join.enter(spec("/bin/true"), init_pid=made.init, control=control)


def test_it_dies_with_the_sandbox(running: Running, control: str) -> None:
    joined = join.enter(spec("/bin/sleep", "100"), init_pid=running.init, control=control)
    running.kill()
    assert status(joined) == -9
