"""``exec``: run another program in a container that runs."""

from __future__ import annotations

import os

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import console, decode, lifecycle, store, text
from sekisho.sandbox.oci_runtime.fields import Fields
from sekisho.sandbox.oci_runtime.groups import Group
from sekisho.sandbox.oci_runtime.options import usage
from sekisho.sandbox.spawn import join
from sekisho.sandbox.spawn.session import attend
from sekisho.sandbox.spec import Capabilities, Process, User, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context


def command(context: Context) -> int:
    """The exit status is the program's, or 128 and more for a signal; with --detach 0."""
    call, kept = context.call, context.store
    id = call.words[0]
    record = kept.load(id)
    status = kept.status(record)
    if status != store.RUNNING:
        raise SandboxError("SBX119", f"container not running: {id} is {status}")
    spec = lifecycle.spec_of(kept, record)
    process = _process(context, spec.process)
    if not process.argv:
        raise SandboxError("SBX122", "there is no program to run: process.args is empty")
    socket = call.text("console-socket")
    if process.terminal and call.flag("detach") and not socket:
        raise SandboxError("SBX118", "the process wants a terminal: give --console-socket")
    joined = join.enter(
        replace(spec, process=process),
        init_pid=record.init,
        control=kept.control(id),
        doors=Group(record.cgroup).doors(),
    )
    if joined.console >= 0 and socket:
        console.send(socket, joined.console)
    for flag in ("pid-file", "internal-pid-file"):
        if call.text(flag):
            lifecycle.write_pid(call.text(flag), joined.pid)
    if call.flag("detach"):
        return 0
    child = _Child(joined.pid, -1 if socket else joined.console)
    attend(child)
    ended = child.wait()
    return 128 + (ended & 0x7F) if ended & 0x7F else os.waitstatus_to_exitcode(ended)


class _Child:
    """The program, a child of ours, as one that can be attended."""

    def __init__(self, pid: int, console: int) -> None:
        self.workload = pid
        self.console = console
        self._pidfd = os.pidfd_open(pid)

    def fileno(self) -> int:
        """Readable when it has ended."""
        return self._pidfd

    def advance(self) -> bool:
        """There is news once, at its end."""
        return False

    def follow(self) -> None:
        """Wait for its end."""
        os.waitid(os.P_PID, self.workload, os.WEXITED | os.WNOWAIT)

    def kill(self) -> None:
        """End it."""
        os.kill(self.workload, 9)

    def wait(self) -> int:
        """Its wait status."""
        return os.waitpid(self.workload, 0)[1]


def _process(context: Context, own: Process) -> Process:
    """What to run: a file of the form of ``process``, or words and flags over the container's own."""
    call = context.call
    if call.text("process"):
        warnings: list[str] = []
        fields = Fields(text.parse_file(call.text("process")), "process")
        process = decode.decode_process(fields, warnings)
        for warning in warnings:
            context.warn(warning)
        return replace(process, terminal=True) if call.flag("tty") else process
    if len(call.words) < 2:
        raise usage("exec takes a program, or --process FILE")
    user = _user(call.text("user"), own.user)
    groups = tuple(_id(word) for item in call.many("additional-gids") for word in item.split(","))
    more = frozenset(name.upper() for name in call.many("cap"))
    return replace(
        own,
        argv=call.words[1:],
        env=(*own.env, *call.many("env")),
        cwd=call.text("cwd", own.cwd),
        user=replace(user, groups=(*user.groups, *groups)),
        terminal=call.flag("tty"),
        capabilities=own.capabilities | more,
        shown_capabilities=_more(own.shown_capabilities, more),
    )


def _more(sets: Capabilities, names: frozenset[str]) -> Capabilities:
    """Sets with more names in those that a process uses."""
    return replace(
        sets,
        permitted=sets.permitted | names,
        effective=sets.effective | names,
        bounding=sets.bounding | names,
    )


def _user(given: str, own: User) -> User:
    """``UID[:GID]``."""
    if not given:
        return own
    uid, colon, gid = given.partition(":")
    return replace(own, uid=_id(uid), gid=_id(gid) if colon else own.gid)


def _id(text: str) -> int:
    if not text.isdigit():
        raise usage(f"{text!r} is no number of a user or group")
    return int(text)
