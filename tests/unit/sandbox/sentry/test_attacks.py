"""What hostile programs try: races, escapes, leaks, exhaustion. Each runs in a sandbox and must not get there.

``SEKISHO_SOAK=600`` races each kind for ten minutes, not half a second.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest
from tests.unit.sandbox.inside import PYTHON, do, needs_root, needs_sandbox, python, sh

pytestmark = needs_sandbox

ATTACKS = Path(__file__).with_name("attacks")
SOAK = float(os.environ.get("SEKISHO_SOAK", "0.5"))


@pytest.mark.parametrize(
    "kind", ["path", "write_path", "links", "renames", "address", "vectors", "arguments"]
)
def test_races(kind: str) -> None:
    options = ("--readonly", "--mount", f"{ATTACKS}:/mnt")
    run = do(PYTHON, "-I", "/mnt/race.py", kind, str(SOAK), options=options, timeout=SOAK * 3 + 30)
    assert run.stderr == ""
    assert run.returncode == 0
    assert "REACHED" not in run.stdout
    assert len(run.stdout.splitlines()) >= 1


# Escapes.


def test_dots_end_at_the_root() -> None:
    script = """
import os
def names(fd): return sorted(os.listdir(fd))
root = names(os.open("/", os.O_RDONLY))
for start in ("/", "/etc", "/proc/self", "/dev"):
    fd = os.open(start, os.O_RDONLY | os.O_DIRECTORY)
    print(names(os.open("../" * 12, os.O_RDONLY, dir_fd=fd)) == root)
    os.fchdir(fd)
    os.chdir("../" * 12)
    print(os.getcwd(), names(os.open(".", os.O_RDONLY)) == root)
"""
    assert set(python(script).split()) == {"True", "/"}


def test_a_directory_that_was_injected_does_not_lead_out_by_execveat(tmp_path: Path) -> None:
    program = tmp_path / "outside"
    program.write_text("#!/bin/sh\necho escaped\n")
    program.chmod(0o755)
    (tmp_path / "in").mkdir()
    script = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open("/r", os.O_RDONLY | os.O_DIRECTORY)
argv = (ctypes.c_char_p * 2)(b"x", None)
print(libc.syscall(322, fd, b"../outside", argv, None, 0), ctypes.get_errno())
print(libc.syscall(257, fd, b"../outside", 0), ctypes.get_errno())
"""
    assert python(script, "--mount", f"{tmp_path}/in:/r") == "-1 2\n-1 2\n"


def test_process_1_cannot_be_looked_into() -> None:
    names = (
        "environ maps mem root/etc/passwd exe cwd/etc fd fd/0 auxv io stack syscall task/1/environ map_files"
    )
    script = f"""
import os
for name in "{names}".split():
    try:
        if os.read(os.open("/proc/1/" + name, os.O_RDONLY), 99):
            print(name)
    except OSError:
        pass
    try:
        os.readlink("/proc/1/" + name)
        print("link", name)
    except OSError:
        pass
"""
    assert python(script) == ""


def test_own_memory_is_not_a_file() -> None:
    run = do("/bin/sh", "-c", "exec 3<>/proc/self/mem || exec 3</proc/self/pagemap")
    assert run.returncode != 0


@pytest.mark.parametrize(
    "path",
    ["/proc/kcore", "/proc/kallsyms", "/proc/kmsg", "/proc/keys", "/proc/timer_list", "/proc/sys/kernel/panic",
     "/proc/sysrq-trigger", "/proc/config.gz", "/proc/slabinfo", "/proc/interrupts", "/dev/kmsg", "/dev/mem"],
)  # fmt: skip
def test_the_hosts_kernel_is_not_read(path: str) -> None:
    assert do("/bin/cat", path).returncode != 0


@pytest.mark.parametrize(
    "path",
    [
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/proc/sys/vm/drop_caches",
        "/proc/self/oom_adj",
    ],
)
def test_the_hosts_kernel_is_not_told(path: str) -> None:
    assert do("/bin/sh", "-c", f"echo 1 > {path}").returncode != 0


@pytest.mark.parametrize(
    "path", ["/proc/kcore", "/proc/sysrq-trigger", "/proc/kallsyms", "/proc/sys/kernel/panic"]
)
def test_the_hosts_files_keep_their_modes(path: str) -> None:
    def mode() -> int:
        return Path(path).stat().st_mode if Path(path).exists() else 0

    before = mode()
    script = """
import os, sys
for change in (lambda: os.chmod(sys.argv[1], 0o666), lambda: os.chown(sys.argv[1], os.getuid(), -1),
               lambda: os.fchmod(os.open(sys.argv[1], os.O_PATH), 0o666)):
    try:
        change()
        print("changed")
    except OSError:
        pass
"""
    assert do(PYTHON, "-I", "-S", "-c", script, path).stdout == ""
    assert mode() == before


def test_no_descriptor_comes_along() -> None:
    secret = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(secret, True)
    try:
        script = "import os; print(*sorted(os.listdir('/proc/self/fd')))"
        run = do(PYTHON, "-I", "-S", "-c", script, pass_fds=(secret,))
    finally:
        os.close(secret)
    assert run.stdout == "0 1 2 3\n"  # 3 is the list itself


def test_an_inherited_descriptor_is_not_widened(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    with file.open() as reading:
        run = do("/bin/sh", "-c", "cat; echo x > /proc/self/fd/0; echo x > /dev/stdin", stdin=reading)
    assert run.stdout == "kept"
    assert file.read_text() == "kept"


def test_sockets_of_the_host_are_not_reached(tmp_path: Path) -> None:
    name = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as abstract:
        server.bind(name)
        server.listen()
        abstract.bind(b"\0sekisho-attack")
        abstract.listen()
        script = f"""
import socket
for name in ({name!r}, b"\\0sekisho-attack"):
    try:
        socket.socket(socket.AF_UNIX).connect(name)
        print("reached", name)
    except OSError as error:
        print(error.errno)
"""
        assert python(script) == "111\n111\n"


def test_no_devices() -> None:
    script = """
import os, stat
for minor in (1, 3):
    try:
        os.mknod("/tmp/device", stat.S_IFCHR | 0o666, os.makedev(1, minor))
    except OSError as error:
        print(error.errno)
"""
    assert python(script, "--readonly") == "1\n1\n"


@needs_root
def test_devices_that_are_mounted_do_not_open(tmp_path: Path) -> None:
    os.mknod(tmp_path / "mem", 0o20666, os.makedev(1, 1))
    assert do("/bin/cat", "/d/mem", options=("--mount", f"{tmp_path}:/d")).returncode != 0


@needs_root
def test_set_user_id_gives_nothing(tmp_path: Path) -> None:
    script = "import os; os.chmod('/tmp/x', 0o6755)"
    assert (
        sh(f'cp /bin/true /tmp/x; {PYTHON} -I -S -c "{script}"; ls -l /tmp/x | cut -c1-10', "--readonly")
        == "-rwxr-xr-x\n"
    )
    assert tmp_path.exists()


# Doors beside the filter.

MACHINE_CODE = """
import ctypes, mmap, sys
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex(sys.argv[1]))
ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
print("survived")
"""


@pytest.mark.parametrize(
    "code",
    ["b814000000cd80c3", "b827000040" + "0f05c3", "b8ffffff7f0f05c3"],
    ids=["getpid by int 0x80", "getpid of x32", "a number of x32 that is none"],
)
def test_other_abis_are_killed(code: str) -> None:
    run = do(PYTHON, "-I", "-c", MACHINE_CODE, code)
    assert run.stdout == ""
    assert run.returncode == 128 + signal.SIGSYS


def test_a_listener_of_ones_own_is_refused() -> None:
    script = """
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
allow = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0x7FFF0000))
program = struct.pack("=H6xQ", 1, ctypes.addressof(allow))
print(libc.syscall(317, 1, 8, program), ctypes.get_errno())
print(libc.syscall(317, 1, 0, program))
print(libc.syscall(317, 1, 16 | 32, program) != 0)
"""
    assert python(script) == "-1 16\n0\nTrue\n"


def test_filters_of_ones_own_only_deny() -> None:
    script = """
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
def load(*rows):
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *row) for row in rows))
    assert libc.syscall(317, 1, 0, struct.pack("=H6xQ", len(rows), ctypes.addressof(code))) == 0
load((6, 0, 0, 0x7FFF0000))                                             # everything is allowed
print(libc.syscall(101, 0, 0, 0, 0), ctypes.get_errno())                # ptrace is not
load((32, 0, 0, 0), (21, 0, 1, 257), (6, 0, 0, 0x00050000 | 99), (6, 0, 0, 0x7FFF0000))
try:
    os.open("/etc/passwd", 0)
except OSError as error:
    print(error.errno)
"""
    assert python(script) == "-1 1\n99\n"


@pytest.mark.parametrize("number", [101, 310, 311, 165, 272, 308, 321, 425, 323, 250, 298, 428, 438, 304])
def test_calls_that_are_denied(number: int) -> None:
    script = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall({number}, 0, 0, 0, 0, 0, 0), ctypes.get_errno() in (1, 38))
"""
    assert python(script) == "-1 True\n"


def test_the_sentry_is_out_of_sight() -> None:
    script = f"""
import os
for pid in ({os.getpid()}, {os.getppid()}):
    try:
        os.kill(pid, 0)
        print("seen")
    except ProcessLookupError:
        pass
print(len([name for name in os.listdir("/proc") if name.isdigit()]))
"""
    assert python(script) == "2\n"


# Exhaustion: the program suffers, the machine and the Sentry do not.


def test_descriptors() -> None:
    script = """
import os
held = []
try:
    while True:
        held.append(os.open("/etc/passwd", os.O_RDONLY))
except OSError as error:
    print(error.errno)
os.close(held.pop())
print(os.read(os.open("/etc/passwd", os.O_RDONLY), 4))
"""
    assert python(script) == "24\nb'root'\n"


def test_waiting_calls_do_not_use_up_the_sentry() -> None:
    script = """
import os, threading, time
os.mkfifo("/tmp/fifo")
failed = []
def wait():
    try:
        os.open("/tmp/fifo", os.O_RDONLY)
    except OSError as error:
        failed.append(error.errno)
for _ in range(300):
    threading.Thread(target=wait, daemon=True).start()
time.sleep(0.5)
print(len(failed), set(failed), os.read(os.open("/etc/passwd", 0), 4), flush=True)
os._exit(0)
"""
    run = do(PYTHON, "-I", "-c", script, options=("--readonly",))
    assert run.stdout == "44 {11} b'root'\n"


def test_a_caller_that_dies_while_the_sentry_waits_for_it() -> None:
    script = """
import os, signal, time
os.mkfifo("/tmp/fifo")
for _ in range(20):
    child = os.fork()
    if child == 0:
        os.open("/tmp/fifo", os.O_RDONLY)
        os._exit(1)
    time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
print(os.read(os.open("/etc/passwd", 0), 4))
"""
    start = time.monotonic()
    assert python(script, "--readonly") == "b'root'\n"
    assert time.monotonic() - start < 10


def test_signals_in_the_middle_of_calls() -> None:
    script = """
import os, signal
hits = 0
def count(*_):
    global hits
    hits += 1
signal.signal(signal.SIGALRM, count)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
early = 0
def again(function, *arguments):
    # A signal that comes before the Sentry has taken a call up ends it, with nothing done.
    global early
    while True:
        try:
            return function(*arguments)
        except InterruptedError:
            early += 1
for number in range(3000):
    name = f"/tmp/{number % 7}"
    fd = os.open(name, os.O_CREAT | os.O_RDWR)
    os.write(fd, b"x")
    os.close(fd)
    again(os.rename, name, name + "r")
    again(os.unlink, name + "r")
signal.setitimer(signal.ITIMER_REAL, 0)
print(early < 1500, hits > 10, os.listdir("/tmp"))
"""
    assert python(script, "--readonly") == "True True []\n"
