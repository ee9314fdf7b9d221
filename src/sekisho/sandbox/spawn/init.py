"""The sandbox's process 1: makes what the workload lives in, starts it, and buries its orphans.

It never runs anything of the workload's. Nobody in the sandbox may look into it (``hide``), and it goes
when the Sentry goes, with every process of its namespace.
"""

from __future__ import annotations

import fcntl
import os
from _struct import Struct

from sekisho.sandbox import landlock_native, process_native, seccomp_native
from sekisho.sandbox.abi.capabilities import SETPCAP, held
from sekisho.sandbox.abi.flags import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    O_PATH,
    SECBIT_ALL_LOCKED,
    SECBITS_OF_ROOT,
)
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.spawn import channel
from sekisho.sandbox.spawn.tree import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from _socket import socket
    from collections.abc import Iterable, Sequence
    from typing import Final, NoReturn

    from sekisho.sandbox.spec import Process, Rlimit, SandboxSpec, User
else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start

KINDS: Final = {
    "mount": CLONE_NEWNS,
    "network": CLONE_NEWNET,
    "ipc": CLONE_NEWIPC,
    "uts": CLONE_NEWUTS,
    "cgroup": CLONE_NEWCGROUP,
}
"""The namespaces that init makes or joins; it was born in its pid namespace, and makes its user namespace
last.
"""

LIMITS: Final = {
    "RLIMIT_CPU": 0, "RLIMIT_FSIZE": 1, "RLIMIT_DATA": 2, "RLIMIT_STACK": 3, "RLIMIT_CORE": 4,
    "RLIMIT_RSS": 5, "RLIMIT_NPROC": 6, "RLIMIT_NOFILE": 7, "RLIMIT_MEMLOCK": 8, "RLIMIT_AS": 9,
    "RLIMIT_LOCKS": 10, "RLIMIT_SIGPENDING": 11, "RLIMIT_MSGQUEUE": 12, "RLIMIT_NICE": 13,
    "RLIMIT_RTPRIO": 14, "RLIMIT_RTTIME": 15,
}  # fmt: skip
NO_LIMIT: Final = 0xFFFF_FFFF_FFFF_FFFF

STATUS: Final = Struct("=i")
WINSIZE: Final = Struct("=4H")
TIOCSCTTY: Final = 0x540E
TIOCSPTLCK: Final = 0x4004_5431
TIOCGPTN: Final = 0x8004_5430
TIOCSWINSZ: Final = 0x5414
DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Way:
    """How a sandbox is started, beside what it is.

    ``own_process``: the workload is process 1 itself. ``gate``: a descriptor that has a byte to read when
    the workload may start; -1: at once. ``doors``: files of the cgroups to enter. ``control``: the path of
    a socket at which the Sentry takes the listeners of further programs; empty: none. ``events``: a
    descriptor that is told what happens (``sandbox.events``); -1: nobody is.
    """

    __slots__ = ("control", "doors", "events", "gate", "own_process")

    def __init__(
        self,
        *,
        own_process: bool,
        gate: int,
        doors: Sequence[str],
        control: str,
        events: int = -1,
    ) -> None:
        self.events = events
        self.control = control
        self.own_process = own_process
        self.gate = gate
        self.doors = doors


def run(spec: SandboxSpec, sock: socket, program: bytes, way: Way) -> NoReturn:
    """What the forked process does."""
    try:
        _run(spec, sock, program, way)
    except Exception as error:  # noqa: BLE001  whatever it is, the maker is told
        channel.send(sock, channel.FAILED, SandboxError.of(error, "making the sandbox").pack())
    finally:
        os._exit(1)


def _run(spec: SandboxSpec, sock: socket, program: bytes, way: Way) -> None:
    rootless = os.geteuid() != 0
    os.setsid()
    _only(sock, spec)
    enter_doors(way.doors)
    if not rootless:
        process_native.hide()  # else the Sentry could not fetch the listener; nobody is here yet to look
    set_oom_score(spec.process)
    _namespaces(spec)
    _settings(spec)
    tree = Tree(spec)
    tree.build()
    if spec.hostname and "uts" in spec.namespaces.new:
        process_native.set_hostname(spec.hostname, spec.domainname)
    if "network" in spec.namespaces.new:
        loopback_up()
    if not rootless:
        raise_limits(spec.process)
    process_native.unshare(CLONE_NEWUSER)
    _ask(sock, fd=tree.kept)
    console = make_console(sock, spec.process) if spec.process.terminal else -1
    drop(spec.process)
    process_native.die_with_parent(signal.SIGKILL)
    if way.own_process:
        workload(spec.process, sock, program, console)
    pid = os.fork()
    if pid == 0:
        workload(spec.process, sock, program, console)
    process_native.hide()
    _bury(pid, sock)


def enter_doors(doors: Sequence[str]) -> None:
    """Enter cgroups by their files."""
    for door in doors:
        fd = os.open(door, os.O_WRONLY | os.O_CLOEXEC)
        os.write(fd, b"0")
        os.close(fd)


def _only(sock: socket, spec: SandboxSpec) -> None:
    """Keep standard input, output and error, and the socket."""
    process_native.keep_only((0, 1, 2, sock.fileno()))
    if spec.process.terminal:
        let_go()


def let_go() -> None:
    """Have nothing for standard input, output and error."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)


def _ask(sock: socket, fd: int = -1) -> None:
    """Tell the Sentry how far we are, and wait until it has done its part."""
    channel.send(sock, channel.TREE, fd=fd)
    if channel.receive(sock) is None:
        os._exit(1)


def _namespaces(spec: SandboxSpec) -> None:
    flags = CLONE_NEWNS
    for kind, flag in KINDS.items():
        if kind in spec.namespaces.joined:
            path = spec.namespaces.joined[kind]
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            process_native.setns(fd, flag)
            os.close(fd)
        elif kind in spec.namespaces.new:
            flags |= flag
    process_native.unshare(flags)


def _settings(spec: SandboxSpec) -> None:
    """Set what the kernel keeps for a namespace; names were checked to be of the sandbox's own."""
    for name, value in spec.sysctl.items():
        try:
            with open(f"/proc/sys/{name.replace('.', '/')}", "w", encoding="utf-8") as file:
                file.write(value)
        except OSError as error:
            raise SandboxError("SBX018", f"{name} cannot be set to {value!r}: {error.strerror}") from None


def loopback_up() -> None:
    """Bring up the loopback interface of this network namespace."""
    from _socket import AF_INET, SOCK_DGRAM, socket

    request = bytearray(b"lo".ljust(16, b"\0") + IFF_UP.to_bytes(2, "little") + bytes(22))
    sock = socket(AF_INET, SOCK_DGRAM, 0)
    fcntl.ioctl(sock.fileno(), SIOCSIFFLAGS, request)
    sock.close()


SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def make_console(sock: socket, process: Process) -> int:
    """Make a terminal in the sandbox's own devpts: its master goes to the Sentry, the other end is
    returned.
    """
    master = os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    fcntl.ioctl(master, TIOCSPTLCK, bytes(4))
    number = int.from_bytes(fcntl.ioctl(master, TIOCGPTN, bytes(4)), "little")
    console = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    if process.console_size:
        rows, columns = process.console_size
        fcntl.ioctl(console, TIOCSWINSZ, WINSIZE.pack(rows, columns, 0, 0))
    try:
        os.fchown(console, process.user.uid, -1)
    except OSError:
        pass  # without root it is ours already
    channel.send(sock, channel.MASTER, fd=master)
    os.close(master)
    return console


def capabilities(process: Process) -> frozenset[int]:
    """What a program holds in the sandbox's user namespace: as root, those that were asked for and may be
    held.
    """
    return held(process.capabilities) if process.user.uid == 0 else frozenset()


def drop(process: Process) -> None:
    """Become the workload's user, for ever and with no more capabilities than it may hold."""
    user, keep = process.user, capabilities(process)
    becomes = os.geteuid() == 0 or os.getuid() != user.uid
    process_native.drop_bounding_set(keep)
    process_native.clear_ambient()
    if not keep:
        process_native.lock_securebits(SECBIT_ALL_LOCKED)
    if becomes:
        _become(user.uid, user.gid, user.groups)
    if keep:  # as root, so that nothing was lost by becoming the user
        process_native.set_capabilities(keep | {SETPCAP}, keep | {SETPCAP}, keep)
        process_native.raise_ambient(keep)
        process_native.lock_securebits(SECBITS_OF_ROOT)
    process_native.set_capabilities(keep, keep, keep)
    process_native.no_new_privileges()


def _become(uid: int, gid: int, groups: Sequence[int]) -> None:
    try:
        os.setgroups(groups)
    except PermissionError:
        pass  # without root the groups cannot be changed; those without a map give nothing
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _bury(workload: int, sock: socket) -> NoReturn:
    """Wait for the workload and for every orphan; tell how the workload ended, and end all that is left."""
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == workload:
            channel.send(sock, channel.EXITED, STATUS.pack(status))
            os._exit(0)


def workload(process: Process, sock: socket, program: bytes, console: int) -> NoReturn:
    """The process that becomes the workload's first program."""
    try:
        _prepare(process, console)
        channel.send(sock, channel.WORKLOAD)
        listener = seccomp_native.load_with_listener(program)
        # From here on only calls that the filter lets through, until the Sentry answers.
        os.write(sock.fileno(), channel.LISTENER + STATUS.pack(listener))
        if not os.read(sock.fileno(), 1):
            os._exit(1)
        os.close(listener)
        _execute(process)
    except Exception as error:  # noqa: BLE001  likewise
        problem = SandboxError.of(error, "starting the workload")
        os.write(sock.fileno(), channel.FAILED + problem.pack())
    finally:
        os._exit(NOT_FOUND)


NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
"""What shells answer for a command that is missing, or cannot be run."""


def _prepare(process: Process, console: int) -> None:
    if console >= 0:
        try:
            os.setsid()
        except PermissionError:
            pass  # it leads a session already
        fcntl.ioctl(console, TIOCSCTTY, 0)
        for standard in (0, 1, 2):
            os.dup2(console, standard)
    _limits(process)
    os.umask(umask_of(process.user))
    try:
        os.chdir(process.cwd)
    except OSError as error:
        raise SandboxError(
            "SBX013", f"the working directory {process.cwd} cannot be entered: {error.strerror}"
        ) from None
    for number in range(1, signal.NSIG):
        if signal.getsignal(number) not in (signal.SIG_DFL, None):  # None: not Python's to change
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    second_wall()
    process_native.cloexec_from(3)


def second_wall() -> None:
    """Let the kernel itself refuse what only the Sentry is to do, should a call ever get past the filter.

    By itself the workload executes programs and lists directories. Whatever else is opened, made, changed
    or removed, the Sentry does; the descriptors that it hands over keep the rights that they were opened
    with. Signals are not scoped: the process-id namespace does that, and programs that come in later are in
    a domain of their own. Kernels without Landlock have one wall less: the doctor says so.
    """
    root = os.open("/", O_PATH | os.O_CLOEXEC)
    try:
        own = landlock_native.EXECUTE | landlock_native.READ_FILE | landlock_native.READ_DIR
        landlock_native.restrict([(root, own)], scopes=False)
    finally:
        os.close(root)


def umask_of(user: User) -> int:
    """The umask that a user's first process begins with."""
    return 0o022 if user.umask is None else user.umask


def set_oom_score(process: Process) -> None:
    """How soon the kernel ends this process, and what it starts, when memory is short."""
    if process.oom_score_adj is None:
        return
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write(str(process.oom_score_adj))
    except PermissionError:
        raise SandboxError(
            "SBX017", f"the out-of-memory score cannot be set to {process.oom_score_adj}"
        ) from None


def _settable(process: Process) -> Iterable[Rlimit]:
    """All but the limit on core files, which stays zero: the host may hand those to a program of its own."""
    return (limit for limit in process.rlimits if limit.name != "RLIMIT_CORE")


def raise_limits(process: Process) -> None:
    """Raise hard limits that are lower than what the process is to have, while that may be done."""
    for limit in _settable(process):
        number = LIMITS[limit.name]
        soft, hard = process_native.limits(0, number)
        wanted = limit.hard if limit.hard >= 0 else NO_LIMIT
        try:
            if wanted > hard:
                process_native.set_limits(0, number, soft, wanted)
        except PermissionError:
            raise SandboxError("SBX017", f"{limit.name} cannot be raised to {wanted}") from None


def _limits(process: Process) -> None:
    process_native.set_limits(0, LIMITS["RLIMIT_CORE"], 0, 0)
    for limit in _settable(process):
        soft, hard = (value if value >= 0 else NO_LIMIT for value in (limit.soft, limit.hard))
        process_native.set_limits(0, LIMITS[limit.name], soft, hard)


def _execute(process: Process) -> None:
    """Run the program; only comes back to say why it cannot be."""
    env = dict(item.split("=", 1) for item in process.env if "=" in item)
    name = process.argv[0]
    candidates = [name]
    if "/" not in name:
        path = env.get("PATH", DEFAULT_PATH)
        candidates = [f"{folder or '.'}/{name}" for folder in path.split(":")]
    worst: OSError | None = None
    for candidate in candidates:
        try:
            os.execve(candidate, process.argv, env)  # noqa: S606  it is what we are for
        except (FileNotFoundError, NotADirectoryError) as error:
            worst = worst or error
        except OSError as error:
            worst = error
    missing = isinstance(worst, FileNotFoundError | NotADirectoryError)
    reason = "it is not there" if missing or worst is None else worst.strerror
    code = "SBX014" if missing else "SBX015"
    raise SandboxError(code, f"cannot run {name}: {reason}")
