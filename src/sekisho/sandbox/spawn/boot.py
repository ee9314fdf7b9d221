"""The Sentry's process: makes process 1, becomes as small as it can, and answers until the sandbox ends."""

from __future__ import annotations

import _thread
import gc
import os
import select
from _socket import AF_INET, SOCK_CLOEXEC, SOCK_DGRAM, socket

from sekisho.sandbox import filters, image, mount_native, process_native, seccomp_native
from sekisho.sandbox.abi.capabilities import ON_FILES, ON_IDS, SYS_PTRACE
from sekisho.sandbox.abi.flags import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    O_CLOEXEC,
    O_DIRECTORY,
    O_PATH,
)
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.network.addresses import resolver_address
from sekisho.sandbox.network.netlink import open_route
from sekisho.sandbox.spawn import channel, init
from sekisho.sandbox.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence
    from typing import Final, NoReturn

    from sekisho.sandbox.network.wire import Link
    from sekisho.sandbox.probe import World
    from sekisho.sandbox.sentry.kernel import Kernel
    from sekisho.sandbox.sentry.record import Record
    from sekisho.sandbox.sentry.server import Handler, Server
    from sekisho.sandbox.spawn.init import Way
    from sekisho.sandbox.spec import IdMap, SandboxSpec
else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start

SIGNAL_BASE: Final = 128
"""What is added to the number of the signal that ended a process, to make an exit status of it."""


def run(spec: SandboxSpec, parent: socket, way: Way) -> NoReturn:
    """What the forked Sentry does; ``parent`` is its end of a channel to who made the sandbox."""
    try:
        status = _run(spec, parent, way)
    except Exception as error:  # noqa: BLE001  whatever it is, the maker is told
        channel.send(parent, channel.FAILED, SandboxError.of(error, "making the sandbox").pack())
        status = 1 << 8
    os._exit(SIGNAL_BASE + (status & 0x7F) if status & 0x7F else status >> 8)


def _run(spec: SandboxSpec, parent: socket, way: Way) -> int:
    _settle(parent, way)
    if spec.limits.cpu_quota:
        from sekisho.sandbox.spawn import machine

        machine.keep_to(machine.cpus(spec.limits))
    if way.own_process:
        init.enter_doors(way.doors)  # a container's figures and limits count its Sentry too
        if spec.process.terminal:
            init.let_go()  # who made the container waits until nobody holds what its output goes to
    rootless = os.geteuid() != 0
    if rootless:
        _user_namespace()
    program = filters.of(spec)
    link = _connector(spec, way)
    ours, theirs = channel.pair()
    _fork_init(spec, theirs, program, way, rootless=rootless)
    theirs.close()
    # Process 1 is at work; what it does not need is imported beside it.
    from sekisho.sandbox.sentry import kernel, net, netlink, server
    from sekisho.sandbox.sentry.dispatch import resolve
    from sekisho.sandbox.spawn import machine

    handlers = resolve(filters.load_handlers(spec.profile, spec.options))
    record = _record(spec, way, handlers)
    own_program = filters.load_supervisor()
    control = channel.bind(way.control) if way.control else None
    shown = machine.world(spec)
    proc = _own_proc()
    pid, workload, listener, route = _meet(spec, (ours, parent), shown, link)
    shown = replace(shown, hostname=os.uname().nodename)  # a namespace that was joined has one already
    holds = init.capabilities(spec.process)
    if way.own_process and holds & ON_IDS:
        _guard(pid)
    network = net.of(spec, link, netlink.Netlink(route, shows_outside=net.moves(spec, link)))
    os.fchdir(proc)
    user = spec.process.user
    rights = holds & ON_FILES
    permitted = _permitted(holds, comes_in=control is not None and not rootless)
    _shrink(spec, own_program, permitted, rights)
    known = kernel.Kernel(
        proc=proc,
        init=pid,
        identity=kernel.Identity(user.uid, user.gid, tuple(sorted(user.groups)), rights),
        permitted=permitted,
        world=shown,
        umask=init.umask_of(user),
        network=network,
    )
    signal.signal(server.WAKE, lambda *_: None)
    serving = server.Server(known, handlers, record)
    serving.serve(listener)
    if control is not None:
        _thread.start_new_thread(_take_more, (control, known, serving))
    channel.send(parent, channel.RUNNING, b"%d %d" % (pid, workload))
    if way.gate < 0 or _opened(way.gate, pid):
        channel.send(ours, channel.GO)
    status = _wait(ours, parent, pid, own_process=way.own_process)
    return _ended(parent, status, record)


def _ended(parent: socket, status: int, record: Record | None) -> int:
    if record is not None:
        record.finish()
    _tell(parent, channel.EXITED, init.STATUS.pack(status))
    return status


def _permitted(holds: frozenset[int], *, comes_in: bool) -> frozenset[int]:
    """The capabilities that we can take up: to act as somebody else, too, if somebody becomes that or may
    come in as that.
    """
    becomes = bool(holds & ON_IDS) or comes_in
    return holds & ON_FILES | {SYS_PTRACE} | (ON_IDS if becomes else frozenset())


def _record(spec: SandboxSpec, way: Way, handlers: dict[int, Handler]) -> Record | None:
    """What is told of calls, if anybody wants to know; ``handlers`` then answer what the filter would."""
    if way.events < 0:
        return None
    from sekisho.sandbox.events import Events
    from sekisho.sandbox.sentry import record

    if spec.reports:
        for number, error in filters.load_denials(spec.profile, spec.options).items():
            handlers.setdefault(number, record.refusing(error))
    return record.Record(Events(way.events), filters.load_names(), profiles=spec.profiles)


def _settle(parent: socket, way: Way) -> None:
    """Be a process of our own: no terminal, no signal blocked, no descriptor that is not needed."""
    os.setsid()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    own = (fd for fd in (way.gate, way.events) if fd >= 0)
    process_native.keep_only((0, 1, 2, parent.fileno(), *(used.fd for used in image.USED), *own))


def _has_ended(pid: int) -> bool:
    """Whether a child of ours has ended; it is not buried."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _opened(gate: int, pid: int) -> bool:
    """Wait until there is a byte to read at the gate; False if process 1 ends before."""
    pidfd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(gate, select.POLLIN)
        poll.register(pidfd, select.POLLIN)
        ready = {fd for fd, _ in poll.poll()}
        if pidfd not in ready and os.read(gate, 1):
            return True
    finally:
        os.close(pidfd)
        os.close(gate)
    os.kill(pid, signal.SIGKILL)
    return False


def _connector(spec: SandboxSpec, way: Way) -> Link | None:
    """The process that makes connections, where rules decide on them; it stays where the network is."""
    if spec.network.mode != "rules":
        return None
    from sekisho.sandbox.network import connector

    return connector.start(spec, way.events)


def _meet(
    spec: SandboxSpec, channels: tuple[socket, socket], shown: World, link: Link | None
) -> tuple[int, int, int, socket]:
    """Do our part while process 1 makes the sandbox, and then enter it.

    The process ids of process 1 and of the workload, the listener, and a socket on the kernel's routing
    netlink in the network that we live in. ``channels`` lead to process 1 and to who makes the sandbox.
    """
    from sekisho.sandbox.spawn import machine

    ours, parent = channels
    tree = _expect(ours, channel.TREE)
    if tree.fd >= 0:
        channel.send(parent, channel.TREE, fd=tree.fd)
        os.close(tree.fd)
    pid = tree.pid
    spaces = _Spaces(pid)
    _write_maps(spec, pid)
    has_sys = any(mount.type == "sysfs" for mount in spec.mounts)
    early = has_sys and os.geteuid() != 0  # without root we may not look into it once it hides
    if early:
        machine.lay_sys(pid, shown)
    channel.send(ours, channel.MAPPED)
    if has_sys and not early:
        try:
            machine.lay_sys(pid, shown)
        except OSError:
            if not _has_ended(pid):
                raise
            # What it has to say comes next, and is the reason.
    if spec.process.terminal:
        console = _expect(ours, channel.MASTER)
        channel.send(parent, channel.MASTER, fd=console.fd)
        os.close(console.fd)
    workload = _expect(ours, channel.WORKLOAD).pid
    listener = _listener(ours, workload)
    _no_more_imports()
    route = spaces.enter(spec, link)
    return pid, workload, listener, route


def _fork_init(spec: SandboxSpec, sock: socket, program: bytes, way: Way, *, rootless: bool) -> None:
    """Start process 1 of a new process-id namespace, as a child of this process."""
    if rootless:
        # Whoever has left for another namespace may start no thread, and without root there is no way back;
        # so a
        # process in between leaves, and process 1 becomes our child when that one ends.
        process_native.adopt_orphans()
        between = os.fork()
        if between:
            os.waitpid(between, 0)
            return
        process_native.unshare(CLONE_NEWPID)
        if os.fork() == 0:
            init.run(spec, sock, program, way)
        os._exit(0)
    home = os.open("/proc/self/ns/pid", os.O_RDONLY | O_CLOEXEC)
    process_native.unshare(CLONE_NEWPID)
    if os.fork() == 0:
        init.run(spec, sock, program, way)
    process_native.setns(home, CLONE_NEWPID)
    os.close(home)


def _guard(pid: int) -> None:
    """Start a process that ends process 1 when we end.

    The kernel does that for a process that asks for it, but forgets when the process becomes another user.
    Ours never does; a workload that is process 1 itself may.
    """
    sentry, target = os.pidfd_open(os.getpid()), os.pidfd_open(pid)
    if os.fork():
        os.close(sentry)
        os.close(target)
        return
    try:
        os.setsid()
        process_native.keep_only((sentry, target))
        process_native.set_name("sekisho-guard")
        poll = select.poll()
        poll.register(sentry, select.POLLIN)
        poll.poll()
        signal.pidfd_send_signal(target, signal.SIGKILL)
    finally:
        os._exit(0)


def _own_proc() -> int:
    """A procfs of this process's own pid namespace that shows processes alone, and can be reached by nobody
    else.
    """
    attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
    try:
        return mount_native.detached("proc", {"subset": "pid"}, attributes)
    except OSError:
        return os.open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)


def _user_namespace() -> None:
    """Without root: be everything in a user namespace of our own, where the rest can then be made."""
    uid, gid = os.geteuid(), os.getegid()
    process_native.unshare(CLONE_NEWUSER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {uid} 1\n")
    _write("/proc/self/gid_map", f"{gid} {gid} 1\n")


def _write_maps(spec: SandboxSpec, pid: int) -> None:
    for name, maps in (("uid_map", spec.uid_maps), ("gid_map", spec.gid_maps)):
        _write(f"/proc/{pid}/{name}", _map_text(maps) if maps else _same(name))


def _map_text(maps: Sequence[IdMap]) -> str:
    return "".join(f"{item.inside} {item.outside} {item.size}\n" for item in maps)


def _same(name: str) -> str:
    """Every id that there is here, as itself."""
    with open(f"/proc/self/{name}", encoding="utf-8") as file:
        rows = [line.split() for line in file]
    return "".join(f"{inside} {inside} {size}\n" for inside, _outside, size in rows)


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _expect(sock: socket, kind: bytes) -> channel.Message:
    """The next message of init's, which must be of this kind."""
    message = channel.receive(sock)
    if message is None:
        raise SandboxError("SBX019", "the sandbox's first process ended before it was ready")
    if message.kind == channel.FAILED:
        raise SandboxError.unpack(message.body)
    assert message.kind == kind, message.kind
    return message


def _listener(sock: socket, workload: int) -> int:
    (number,) = init.STATUS.unpack(_expect(sock, channel.LISTENER).body)
    pidfd = os.pidfd_open(workload)
    try:
        return process_native.getfd(pidfd, number)
    finally:
        os.close(pidfd)


class _Spaces:
    """The namespaces of init that the Sentry goes to live in."""

    def __init__(self, pid: int) -> None:
        names = ("ipc", "uts", "net", "mnt", "user")
        self._fds = [os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | O_CLOEXEC) for name in names]

    def enter(self, spec: SandboxSpec, link: Link | None) -> socket:
        """Enter them; the user namespace comes last, for it takes the right to the others.

        The Sentry needs no IPC and no host name, but engines find a container's namespaces by its process.
        What it has open in the network before it gives up its rights: the socket that names are asked for at,
        which is the connector's, and one on routing netlink.
        """
        kinds = (CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWUSER)
        inside = spec.network.mode in ("none", "rules") or "network" in spec.namespaces.joined
        for fd, kind in zip(self._fds, kinds, strict=True):
            if kind != CLONE_NEWNET or inside:
                process_native.setns(fd, kind)
            if kind == CLONE_NEWNET:
                route = open_route()
                if link is not None:
                    _open_resolver(spec, link)
            os.close(fd)
        return route


def _open_resolver(spec: SandboxSpec, link: Link) -> None:
    """Give the connector the socket at which the sandbox asks for names."""
    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)
    try:
        sock.bind((resolver_address(spec), 53))
    except OSError as error:
        raise SandboxError("SBX019", f"the sandbox's resolver cannot listen: {error.strerror}") from None
    link.give(sock.fileno())
    sock.close()


def _shrink(spec: SandboxSpec, program: bytes, permitted: frozenset[int], rights: frozenset[int]) -> None:
    """Become the workload's user, keep the right to read its memory alone, and filter ourselves."""
    user = spec.process.user
    process_native.keep_capabilities()
    try:
        os.setgroups(user.groups)
    except PermissionError:
        pass  # without root
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    process_native.set_capabilities(rights | {SYS_PTRACE}, permitted)
    process_native.clear_ambient()
    process_native.no_new_privileges()
    process_native.hide()
    process_native.set_name("sekisho-sentry")
    os.umask(0)
    gc.freeze()
    gc.enable()
    seccomp_native.load(program)


def _no_more_imports() -> None:
    """From here on every file may be the workload's: nothing is imported any more."""
    import sys

    image.let_go()
    sys.path.clear()
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()


def _take_more(control: socket, known: Kernel, server: Server) -> NoReturn:
    """Answer the calls of further programs, whose listeners arrive at the control socket."""
    while True:
        fds = channel.receive_fds(control)
        known.identity_changes()  # whoever comes in may be another user
        if len(fds) == 2:
            server.serve(fds[0])
            os.write(fds[1], b"\0")
            fds = fds[1:]
        for fd in fds:
            os.close(fd)


def _wait(sock: socket, parent: socket, pid: int, *, own_process: bool) -> int:
    """Wait for the end; the workload's wait status."""
    status = -1
    while not own_process:
        message = channel.receive(sock)
        if message is None:
            break
        if message.kind == channel.FAILED:
            _tell(parent, channel.FAILED, message.body)
        elif message.kind == channel.EXITED:
            (status,) = init.STATUS.unpack(message.body)
            break
    _, own = os.waitpid(pid, 0)
    return own if status < 0 else status


def _tell(parent: socket, kind: bytes, body: bytes) -> None:
    """Tell the maker, who may have gone since."""
    try:
        channel.send(parent, kind, body)
    except OSError:
        pass  # nobody listens any more
