"""A container's root holds what acts on files and ids, in the sandbox's own user namespace, and nothing else."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from tests.unit.sandbox.inside import alive, needs_root, needs_sandbox

from sekisho.sandbox.abi import capabilities
from sekisho.sandbox.spawn import host, join, launch
from sekisho.sandbox.spec import Mount, Process, Root, SandboxSpec, User

pytestmark = [needs_sandbox, needs_root]

DOCKERS = frozenset(
    f"CAP_{name}"
    for name in (
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE",
        "NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP",
    )
)  # fmt: skip
"""What Docker gives by default."""


CHOWN = frozenset({"CAP_CHOWN"})


def spec(script: str, *, out: Path, uid: int = 0, asked: frozenset[str] = DOCKERS) -> SandboxSpec:
    return SandboxSpec(
        id="test",
        process=Process(
            argv=("/bin/sh", "-c", f"exec > /out/{out.name} 2>&1; {script}"),
            env=("PATH=/usr/sbin:/usr/bin:/sbin:/bin",),
            user=User(uid=uid, gid=uid),
            capabilities=asked,
        ),
        root=Root(path="/", writes="memory"),
        mounts=(*host.SYSTEM, Mount(destination="/out", type="bind", source=str(out.parent))),
        options=frozenset({"sealed-network"}),
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    tmp_path.chmod(0o777)
    file = tmp_path / "text"
    file.touch()
    file.chmod(0o666)
    return file


def run(script: str, out: Path, *, uid: int = 0, asked: frozenset[str] = DOCKERS) -> str:
    made = launch.start(spec(script, out=out, uid=uid, asked=asked))
    made.wait()
    made.close()
    return out.read_text()


def test_which_are_held() -> None:
    assert capabilities.held(DOCKERS) == {0, 1, 3, 4, 5, 6, 7}
    assert capabilities.held({"CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_BPF", "CAP_UNKNOWN"}) == frozenset()
    assert len(capabilities.NAMES) == 41


def test_root_holds_them_and_others_do_not(out: Path) -> None:
    show = "grep -E 'Cap(Eff|Bnd|Amb)' /proc/self/status | cut -f2 | sort -u"
    assert run(show, out) == "00000000000000fb\n"
    assert run(f"setpriv --reuid 33 --clear-groups {show}", out) == run(
        "echo 0000000000000000; echo 00000000000000fb", out
    )
    assert run(show, out, uid=33) == "0000000000000000\n"
    assert run(show, out, asked=frozenset()) == "0000000000000000\n"


def test_files_are_made_by_who_the_process_has_become(out: Path) -> None:
    script = """
touch /tmp/root; mkdir -m 700 /tmp/own; chown 33:34 /tmp/own
setpriv --reuid 33 --regid 34 --groups 35 sh -c '
  id -u; id -g; id -G; touch /tmp/own/file; touch /etc/no; rm /tmp/own/none; chown 0 /tmp/own/file; cat /etc/shadow'
stat -c %u:%g /tmp/root /tmp/own /tmp/own/file
"""
    lines = run(script, out).splitlines()
    assert lines[:3] == ["33", "34", "34 35"]
    assert lines[-3:] == ["0:0", "33:34", "33:34"]
    assert sum("Permission denied" in line or "not permitted" in line for line in lines) == 3


def test_root_reaches_what_others_keep_to_themselves(out: Path) -> None:
    script = "mkdir -m 700 /tmp/own; chown 33 /tmp/own; echo in > /tmp/own/file; cat /tmp/own/file"
    assert run(script, out) == "in\n"
    assert "Permission denied" in run(
        "mkdir -m 700 /tmp/own; chown 33 /tmp/own; echo > /tmp/own/file", out, asked=CHOWN
    )


def test_processes_that_come_in_as_somebody_else(out: Path) -> None:
    control = str(out.parent / "control")
    made = launch.start(spec("sleep 100", out=out), own_process=True, control=control)
    try:
        script = "touch /tmp/his; stat -c %u /tmp/his; touch /etc/no"
        joined = join.enter(
            spec(script, out=out, uid=65534, asked=frozenset()), init_pid=made.init, control=control
        )
        os.waitpid(joined.pid, 0)
        assert out.read_text().splitlines()[0] == "65534"
        assert "Permission denied" in out.read_text()
    finally:
        made.kill()
        made.wait()
        made.close()


def test_a_workload_that_has_become_another_user_dies_with_the_sentry(out: Path) -> None:
    script = "echo ready; exec setpriv --reuid 33 --clear-groups sleep 100"
    made = launch.start(spec(script, out=out), own_process=True)
    try:
        end = time.monotonic() + 10
        while Path(f"/proc/{made.init}/comm").read_text() != "sleep\n" and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(made.sentry, signal.SIGKILL)
        end = time.monotonic() + 1
        while alive(made.init) and time.monotonic() < end:
            time.sleep(0.01)
        assert not alive(made.init)
    finally:
        made.kill()
        made.wait()
        made.close()
