"""The helper processes behind ``Sandbox``: one that keeps a sandbox, and one before each program in it.

``keep`` makes a sandbox whose first program never starts, and ends it when its caller says so or is gone.
``enter`` runs a program in it, ``read`` and ``write`` a file's bytes, ``pack`` and ``unpack`` a directory's.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sekisho.sandbox.abi.flags import AT_FDCWD, RESOLVE_NO_MAGICLINKS
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.files_native import Opener
from sekisho.sandbox.options import UsageError, spec_of
from sekisho.sandbox.spec import replace

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping

    from sekisho.sandbox.spawn.cgroups import Cgroup
    from sekisho.sandbox.spawn.launch import Running
    from sekisho.sandbox.spec import Process, SandboxSpec

else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start

PATIENCE: Final = 5.0
"""Seconds in which a tree of processes must be gone once it is killed."""
PAUSE: Final = 0.005
BLOCK: Final = 1 << 16
KILL, STOP = 9, 19


def main() -> NoReturn:
    """``keeper.py ROOT VERB FD``."""
    verb, fd = sys.argv[2], int(sys.argv[3])
    link = _Link(socket.socket(fileno=fd))
    request = link.hear()
    status = 70
    try:
        assert request is not None
        status = VERBS[verb](link, request)
    except UsageError as error:
        link.say({"error": os.fsdecode(SandboxError("SBX024", str(error)).pack())})
    except SandboxError as error:
        link.say({"error": os.fsdecode(error.pack())})
    except Exception as error:  # noqa: BLE001  whatever it is, who asked is told
        link.say({"error": os.fsdecode(SandboxError.of(error, "keeping the sandbox").pack())})
    finally:
        os._exit(status)


class _Link:
    """Our end of the pair."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._rest = b""

    def say(self, what: Mapping[str, object]) -> None:
        try:
            self._sock.sendall(json.dumps(what).encode() + b"\n")
        except OSError:
            pass  # nobody is there any more

    def hear(self) -> dict[str, Any] | None:
        """The next line; None when the caller is gone."""
        while b"\n" not in self._rest:
            try:
                data = self._sock.recv(BLOCK)
            except OSError:
                return None
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        return said

    def fileno(self) -> int:
        return self._sock.fileno()


# a sandbox


def _keep(link: _Link, request: dict[str, Any]) -> int:
    from sekisho.sandbox.spawn import launch
    from sekisho.sandbox.spawn.cgroups import Cgroup

    spec = spec_of(request["options"], ["-"])
    if os.geteuid():
        # Process 1 hides from everybody but root, who alone can enter its namespaces.
        raise SandboxError(
            "SBX001",
            "without root a sandbox cannot be entered from Python",
            "run as root, or start `sekisho sandbox do` for each program",
        )
    id = f"py-{os.getpid()}"
    spec = replace(spec, id=id, cgroup=f"sekisho/{id}" if spec.cgroup else "", reports=True)
    folder = f"{request['folder']}/control"
    gate, _never = os.pipe()
    group = Cgroup.make(spec.cgroup, spec.limits) if spec.cgroup else None
    running = None
    try:
        running = launch.start(
            spec,
            gate=gate,
            doors=group.doors() if group else (),
            control=folder,
            events=request["events"],
        )
        link.say(
            {"init": running.init, "id": id, "doors": group.doors() if group else (), "folders": _pids(group)}
        )
        timed_out = _attend(link, running, spec)
    finally:
        if running is not None:
            running.kill()
            running.follow()
            running.close()
        if group is not None:
            _remove(group)
        _forget(request["folder"])
    link.say({"ended": True, "timed_out": timed_out})
    return 0


def _forget(folder: str) -> None:
    """Remove the directory of the control socket: the caller may have been killed."""
    try:
        os.unlink(f"{folder}/control")
    except FileNotFoundError:
        pass  # it was never made
    try:
        os.rmdir(folder)
    except OSError:
        pass  # the caller was faster


def _pids(group: Cgroup | None) -> str:
    """The directory of the group that counts processes; empty if there is none."""
    return group.folders.get("pids", "") if group else ""


def _remove(group: Cgroup) -> None:
    folder = _pids(group)
    if folder:
        for name in os.listdir(folder):
            if name.startswith("program-"):
                _rmdir(f"{folder}/{name}")
    group.remove()
    group.sweep()


def _rmdir(path: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            os.rmdir(path)
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(PAUSE)  # its processes are still ending
        else:
            return


def _attend(link: _Link, running: Running, spec: SandboxSpec) -> bool:
    """Answer until the caller is gone, the sandbox ends or its time is over; whether it was time."""
    from sekisho.sandbox.spawn.changes import changes

    end = None if spec.limits.seconds is None else time.monotonic() + spec.limits.seconds
    poll = select.poll()
    poll.register(link.fileno(), select.POLLIN)
    poll.register(running.fileno(), select.POLLIN)
    while True:
        wait = None if end is None else max(0.0, end - time.monotonic()) * 1000
        ready = {fd for fd, _ in poll.poll(wait)}
        if not ready and end is not None and time.monotonic() >= end:
            return True
        if running.fileno() in ready and not running.advance():
            return False
        if link.fileno() in ready:
            said = link.hear()
            if said is None or said["do"] == "end":
                return False
            if said["do"] == "changes":
                found = list(changes(running.kept, spec)) if running.kept >= 0 else []
                link.say({"changes": found})


# a program in it


class _Place:
    """Where a program is entered: the sandbox, and a group of its own if there are groups."""

    def __init__(self, request: dict[str, Any]) -> None:
        spec = spec_of(request["options"], request.get("argv") or ["-"])
        self.spec = replace(spec, process=self._process(spec.process, request), reports=True)
        self._init: int = request["init"]
        self._control: str = f"{request['folder']}/control"
        self._doors: list[str] = request["doors"]
        self._above: str = request["folders"]
        self.group = ""

    @staticmethod
    def _process(process: Process, request: dict[str, Any]) -> Process:
        env = dict(item.split("=", 1) for item in process.env if "=" in item)
        env.update(request.get("env") or {})
        return replace(
            process,
            terminal=False,
            console_size=None,
            cwd=request.get("cwd") or process.cwd,
            env=tuple(f"{name}={value}" for name, value in env.items()),
        )

    def _enter_group(self) -> list[str]:
        """Make a group of the program's own; the doors to enter."""
        doors = [door for door in self._doors if not self._above or not door.startswith(f"{self._above}/")]
        if self._above:
            self.group = f"{self._above}/program-{os.getpid()}"
            os.mkdir(self.group)
            tasks = f"{self.group}/tasks"
            doors.append(tasks if os.path.exists(tasks) else f"{self.group}/cgroup.procs")
        return doors

    def enter(self) -> int:
        """Start the program; its process id."""
        from sekisho.sandbox.spawn import join

        doors = self._enter_group()
        return join.enter(self.spec, init_pid=self._init, control=self._control, doors=doors).pid

    def visit(self, work: Callable[[], int]) -> int:
        """Do something of ours instead; the process id of who does it."""
        from sekisho.sandbox.spawn import join

        return join.visit(self.spec, init_pid=self._init, doors=self._enter_group(), work=work)

    def kill(self, pid: int) -> None:
        """End the program and whatever it has started."""
        if not self.group:
            for one in _family(pid):
                _send(one)
            return
        _try_write(f"{self.group}/pids.max", b"0")  # nobody is born any more
        _try_write(f"{self.group}/cgroup.kill", b"1")
        end = time.monotonic() + PATIENCE
        while (left := _members(self.group)) and time.monotonic() < end:
            for one in left:
                _send(one)
            time.sleep(PAUSE)

    def forget(self) -> None:
        """Remove the group, if nobody is left in it; the keeper does otherwise."""
        if self.group:
            try:
                os.rmdir(self.group)
            except OSError:
                pass


def _try_write(path: str, data: bytes) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(fd, data)
    except OSError:
        pass
    finally:
        os.close(fd)


def _members(group: str) -> list[int]:
    try:
        with open(f"{group}/cgroup.procs", encoding="ascii") as file:
            return [int(line) for line in file]
    except OSError:
        return []


def _family(pid: int) -> list[int]:
    """A process and its descendants; those that were handed to the sandbox's process 1 are not found."""
    found, new = [pid], [pid]
    while new:
        at = new.pop()
        try:
            with open(f"/proc/{at}/task/{at}/children", encoding="ascii") as file:
                children = [int(word) for word in file.read().split()]
        except OSError:
            continue
        found += children
        new += children
    return found


def _send(pid: int, number: int = KILL) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _let_go() -> None:
    """Keep no end of the program's pipes open."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)


def _enter(link: _Link, request: dict[str, Any]) -> int:
    place = _Place(request)
    try:
        pid = place.enter()
    except BaseException:
        place.forget()
        raise
    _let_go()
    link.say({"pid": pid})
    pidfd = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(link.fileno(), select.POLLIN)
    while True:
        ready = {fd for fd, _ in poll.poll()}
        if link.fileno() in ready:
            said = link.hear()
            if said is not None and "signal" in said:
                _send(pid, said["signal"])
                continue
            place.kill(pid)
            poll.unregister(link.fileno())
        elif pidfd in ready:
            break
    _, status = os.waitpid(pid, 0)
    place.forget()
    if os.WIFSIGNALED(status):
        return -os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def _do(link: _Link, request: dict[str, Any], work: Callable[[], None]) -> int:
    """Do something inside; it ends with an error number."""
    place = _Place(request)
    pid = place.visit(lambda: _errno_of(work))
    _let_go()
    _, status = os.waitpid(pid, 0)
    place.forget()
    number = os.waitstatus_to_exitcode(status)
    link.say({"errno": number if number >= 0 else 5})
    return 0


def _read(link: _Link, request: dict[str, Any]) -> int:
    path: str = request["path"]
    return _do(link, request, lambda: _read_file(path))


def _errno_of(function: Callable[[], None]) -> int:
    try:
        function()
    except OSError as error:
        return error.errno or 5
    return 0


def _open(path: str, flags: int, mode: int = 0) -> int:
    """Open without waiting for anybody, and without a magic link of /proc on the way."""
    flags |= os.O_NONBLOCK | os.O_CLOEXEC
    return Opener().open(AT_FDCWD, os.fsencode(path), flags, mode, RESOLVE_NO_MAGICLINKS)


NOT_A_FILE: Final = 22
"""EINVAL: only regular files have contents that end."""


def _read_file(path: str) -> None:
    import stat

    fd = _open(path, os.O_RDONLY)
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        raise OSError(21 if stat.S_ISDIR(mode) else NOT_A_FILE, "not a file")
    while data := os.read(fd, BLOCK):
        _write_all(1, data)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _write(link: _Link, request: dict[str, Any]) -> int:
    path, mode = request["path"], request["mode"]
    return _do(link, request, lambda: _write_file(path, mode))


def _write_file(path: str, mode: int) -> None:
    try:
        fd = _open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        os.fchmod(fd, mode)  # whatever the umask is
    except FileExistsError:
        fd = _open(path, os.O_WRONLY | os.O_TRUNC)
    while data := os.read(0, BLOCK):
        _write_all(fd, data)


def _pack(link: _Link, request: dict[str, Any]) -> int:
    import stat  # noqa: F401  inside nothing can be imported
    import tarfile

    path: str = request["path"]

    def inside() -> None:
        with tarfile.open(fileobj=os.fdopen(1, "wb", closefd=False), mode="w|") as tar:
            tar.add(path, arcname=".")

    return _do(link, request, inside)


def _unpack(link: _Link, request: dict[str, Any]) -> int:
    import tarfile

    path: str = request["path"]

    def inside() -> None:
        os.makedirs(path, exist_ok=True)
        with tarfile.open(fileobj=os.fdopen(0, "rb", closefd=False), mode="r|") as tar:
            tar.extractall(path, filter="data")

    return _do(link, request, inside)


def _ending(function: Callable[[_Link, dict[str, Any]], int]) -> Callable[[_Link, dict[str, Any]], int]:
    """End as the program did: by the same signal."""

    def run(link: _Link, request: dict[str, Any]) -> int:
        status = function(link, request)
        if status < 0:
            if -status not in (KILL, STOP):
                signal.signal(-status, signal.SIG_DFL)
            os.kill(os.getpid(), -status)
            time.sleep(PATIENCE)
        return status

    return run


VERBS: Final[dict[str, Callable[[_Link, dict[str, Any]], int]]] = {
    "keep": _keep,
    "enter": _ending(_enter),
    "read": _read,
    "write": _write,
    "pack": _pack,
    "unpack": _unpack,
}
