"""Rules at work: real sandboxes in a network of their own, with servers that must and must not be reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.sandbox.inside import PYTHON, SRC, needs_root, needs_sandbox

pytestmark = [needs_sandbox, needs_root]

LAB = Path(__file__).with_name("lab.py")
SERVER = ("--nameserver", "127.0.0.1:5353")

HELPERS = """
import errno, os, socket, struct, sys, threading, time
def tcp(host, port=80):
    try:
        with socket.create_connection((host, port), 3) as s:
            return s.recv(99).decode().strip()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
def udp(host, port=99, sock=None, data=b"x"):
    s = sock or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    try:
        s.sendto(data, (host, port))
        return s.recvfrom(99)[0].decode()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
"""


def lab(script: str, *options: str, timeout: float = 60) -> str:
    """What a script prints in a sandbox in the lab."""
    run = run_lab("do", script, *options, timeout=timeout)
    assert run.stderr == ""
    assert run.returncode == 0
    return run.stdout


def run_lab(verb: str, script: str, *options: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    line = [
        sys.executable,
        "-m",
        "sekisho",
        "sandbox",
        verb,
        *options,
        "--",
        PYTHON,
        "-I",
        "-c",
        HELPERS + script,
    ]
    return subprocess.run(
        ["unshare", "-n", sys.executable, str(LAB), *line],
        env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, timeout=timeout, check=False,
        stdin=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip


def test_addresses_and_ports() -> None:
    script = 'print(tcp("203.0.113.7"), tcp("203.0.113.8"), tcp("203.0.113.7", 81), sep=", ")'
    assert lab(script, "--allow", "203.0.113.7:80") == "outside 7, EACCES, EACCES\n"


def test_without_a_rule_nothing_is_reached() -> None:
    assert lab('print(tcp("203.0.113.7"))', "--net", "host-rules") == "EACCES\n"


def test_the_first_rule_that_matches_decides() -> None:
    script = 'print(tcp("203.0.113.7"), tcp("203.0.113.8"), sep=", ")'
    assert lab(script, "--allow", "!203.0.113.8", "--allow", "203.0.113.0/24") == "outside 7, EACCES\n"


def test_a_rule_for_one_protocol() -> None:
    script = 'print(tcp("203.0.113.7"), udp("203.0.113.7"), sep=", ")'
    assert lab(script, "--allow", "203.0.113.7/udp") == "EACCES, 203.0.113.7 x\n"


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
     "fd00:ec2::254", "fe80::1", "100.100.100.200"],
)  # fmt: skip
def test_metadata_takes_more_than_a_wide_rule(host: str) -> None:
    assert lab(f'print(tcp("{host}"))', "--allow", "0.0.0.0/0", "--allow", "::/0") == "EACCES\n"


def test_metadata_that_a_rule_names() -> None:
    assert lab('print(tcp("169.254.169.254"))', "--allow", "169.254.169.254:80") == "SECRET metadata\n"


def test_the_machines_own_addresses_take_more_than_a_wide_rule() -> None:
    script = (
        'print(tcp("198.51.100.9"), tcp("127.0.0.1", 8000), tcp("::1", 8000), tcp("0.0.0.0", 8000), sep=", ")'
    )
    out = lab(script, "--allow", "0.0.0.0/0", "--allow", "::/0", "--allow", "127.0.0.0/8", "--allow", "::1")
    assert out == "EACCES, ECONNREFUSED, ECONNREFUSED, ECONNREFUSED\n"
    assert lab('print(tcp("198.51.100.9"))', "--allow", "198.51.100.9") == "SECRET own\n"


def test_names() -> None:
    script = """
for name in ("good.test", "half.test", "a.below.test", "below.test", "other.test"):
    print(name, tcp(name))
print(tcp("203.0.113.9", 80))
"""
    options = (
        "--allow-domain",
        "good.test",
        "--allow-domain",
        "half.test:80",
        "--allow-domain",
        "*.below.test",
    )
    assert lab(script, *SERVER, *options).splitlines() == [
        "good.test outside 7",
        "half.test outside 8",
        "a.below.test outside 9",
        "below.test [Errno -2] Name or service not known",
        "other.test [Errno -2] Name or service not known",
        "outside 9",  # for the name led there
    ]


def test_an_address_is_given_by_its_name_alone() -> None:
    script = (
        'print(tcp("203.0.113.7"), tcp("good.test"), tcp("203.0.113.7"), tcp("203.0.113.7", 81), sep=", ")'
    )
    out = lab(script, *SERVER, "--allow-domain", "good.test:80")
    assert out == "EACCES, outside 7, outside 7, EACCES\n"


def test_names_that_lead_inside() -> None:
    script = """
for name in ("evil.test", "own.test", "metadata.google.internal"):
    try:
        print(name, sorted({row[4][0] for row in socket.getaddrinfo(name, 80)}))
    except OSError as error:
        print(name, error.errno)
print(tcp("10.0.0.1"))
"""
    options = ("--allow-domain", "evil.test", "--allow-domain", "own.test", "--allow-domain", "*.google.internal",
               "--allow-domain", "metadata.google.internal", "--allow", "0.0.0.0/0:81")  # fmt: skip
    assert lab(script, *SERVER, *options).splitlines() == [
        "evil.test -5",
        "own.test -5",
        "metadata.google.internal -5",
        "EACCES",
    ]


def test_a_name_may_lead_inside_where_a_rule_on_addresses_does() -> None:
    script = 'print(tcp("evil.test"), tcp("10.0.0.1", 81), sep=", ")'
    out = lab(script, *SERVER, "--allow-domain", "evil.test", "--allow", "10.0.0.0/8:80")
    assert out == "SECRET inside, EACCES\n"


def test_a_name_that_is_bound_again() -> None:
    script = """
seen = set()
for _ in range(20):
    seen.add(tcp("flip.test", 80))
    seen.add(tcp("flip.test", 8000))
print(sorted(text for text in seen if "SECRET" in text), "outside 7" in seen)
"""
    assert lab(script, *SERVER, "--allow-domain", "flip.test") == "[] True\n"


def test_datagrams() -> None:
    script = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(udp("203.0.113.7", sock=s), udp("203.0.113.8", sock=s), udp("203.0.113.9", sock=s), udp("203.0.113.7", sock=s))
s.sendmsg([b"one ", b"two"], [], 0, ("203.0.113.9", 99))
print(s.recv(99))
s.connect(("203.0.113.7", 99))
s.send(b"connected")
print(s.recv(99), s.getpeername())
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own.bind(("127.0.0.1", 0))
own.settimeout(2)
s.sendto(b"inside", own.getsockname())
print(own.recv(99))
"""
    out = lab(script, "--allow", "203.0.113.7:99", "--allow", "203.0.113.9:99")
    assert out.splitlines() == [
        "203.0.113.7 x EACCES 203.0.113.9 x 203.0.113.7 x",
        "b'203.0.113.9 one two'",
        "b'203.0.113.7 connected' ('203.0.113.7', 99)",
        "b'inside'",
    ]


def test_a_socket_that_leads_outside_does_not_lead_to_the_machine() -> None:
    """Every way to turn a socket of the host's: connect again, listen, bind, disconnect, sendto, sendmsg."""
    script = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def unspecified(s):
    return libc.connect(s.fileno(), struct.pack("=H14x", 0), 16)
def outside(kind):
    s = socket.socket(socket.AF_INET, kind)
    s.settimeout(2)
    s.connect(("203.0.113.7", 80 if kind == socket.SOCK_STREAM else 99))
    return s
def attempt(what, function):
    try:
        print(what, function())
    except OSError as error:
        print(what, errno.errorcode.get(error.errno, error))
s = outside(socket.SOCK_DGRAM)
attempt("datagram", lambda: (s.connect(("127.0.0.1", 8000)), s.send(b"x"), s.recv(99)))
s = outside(socket.SOCK_DGRAM)
attempt("sendto", lambda: (s.sendto(b"x", ("127.0.0.1", 8000)), s.recv(99)))
s = outside(socket.SOCK_DGRAM)
attempt("sendmsg", lambda: (s.sendmsg([b"x"], [], 0, ("127.0.0.1", 8000)), s.recv(99)))
s = outside(socket.SOCK_DGRAM)
data, to = b"x", struct.pack("=H", 0) + struct.pack("!H", 8000) + socket.inet_aton("127.0.0.1") + bytes(8)
attempt("sendto of no family", lambda: (libc.sendto(s.fileno(), data, 1, 0, to, 16), ctypes.get_errno() == errno.EAFNOSUPPORT))
s = outside(socket.SOCK_STREAM)
unspecified(s)
attempt("stream, disconnected", lambda: (s.connect(("127.0.0.1", 8000)), s.recv(99)))
s = socket.socket()
s.setblocking(False)
s.connect_ex(("203.0.113.7", 1))
time.sleep(0.1)
attempt("stream, refused", lambda: s.connect(("127.0.0.1", 8000)))
s = socket.socket()
s.setblocking(False)
s.connect_ex(("203.0.113.7", 1))
time.sleep(0.1)
attempt("listen", lambda: s.listen())
attempt("bind", lambda: s.bind(("0.0.0.0", 4444)))
s = outside(socket.SOCK_DGRAM)
attempt("bind", lambda: s.bind(("0.0.0.0", 4444)))
"""
    out = lab(script, "--allow", "203.0.113.7")
    assert "SECRET" not in out
    assert "127.0.0.1 x" not in out
    rows = dict(line.split(" ", 1) for line in out.splitlines())
    assert rows["listen"] == "EACCES"
    assert rows["bind"] == "EINVAL"


def test_a_connection_that_waits() -> None:
    script = """
import select
s = socket.socket()
s.setblocking(False)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
code = s.connect_ex(("203.0.113.7", 80))
print(errno.errorcode.get(code, code))
select.select([], [s], [], 3)
print(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
s.setblocking(True)
print(s.recv(99), os.get_inheritable(s.fileno()))
r = socket.socket()
print(r.connect_ex(("203.0.113.7", 1)), os.get_blocking(r.fileno()))
"""
    assert lab(script, "--allow", "203.0.113.7").splitlines() == [
        "EINPROGRESS",
        "0 True",
        "b'outside 7\\n' False",
        "111 True",
    ]


def test_asyncio() -> None:
    script = """
import asyncio
async def main():
    reader, writer = await asyncio.open_connection("good.test", 80)
    print(await reader.read())
    writer.close()
asyncio.run(main())
"""
    assert lab(script, *SERVER, "--allow-domain", "good.test") == "b'outside 7\\n'\n"


def test_every_verdict_is_told(tmp_path: Path) -> None:
    events = tmp_path / "events"
    script = 'tcp("good.test"); tcp("other.test"); tcp("203.0.113.8"); udp("203.0.113.8")'
    lab(script, *SERVER, "--allow-domain", "good.test", "--events", str(events))
    rows = [json.loads(line) for line in events.read_text().splitlines()]
    told = {
        (row["action"], row.get("name") or row.get("address"), row.get("protocol"), row["verdict"])
        for row in rows
        if row["event"] == "network"
    }
    assert told >= {
        ("resolve", "good.test", None, "allow"),
        ("resolve", "other.test", None, "refuse"),
        ("connect", "good.test", "tcp", "allow"),
        ("connect", "203.0.113.8", "tcp", "refuse"),
        ("connect", "203.0.113.8", "udp", "refuse"),
    }
    assert {row["program"] for row in rows if row.get("action") == "connect"} == {Path(PYTHON).name[:15]}


PUBLISHING = """
server = socket.create_server(("0.0.0.0", 80))
threading.Thread(target=lambda: print("inside got", tcp("127.0.0.1", 80))).start()
for _ in range(2):
    client, _ = server.accept()
    client.sendall(b"hello")
    client.close()
"""


def test_published_ports() -> None:
    outside = (
        "import socket, subprocess, sys, time\n"
        "run = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)\n"
        "for _ in range(200):\n"
        "    try:\n"
        "        s = socket.create_connection(('127.0.0.1', 8080), 5); break\n"
        "    except OSError:\n"
        "        time.sleep(0.02)\n"
        "print('outside got', s.recv(9)); print(run.communicate(timeout=20)[0])\n"
    )
    inner = [sys.executable, "-m", "sekisho", "sandbox", "do", "--publish", "8080:80", "--", PYTHON, "-I", "-c",
             HELPERS + PUBLISHING]  # fmt: skip
    run = subprocess.run(
        ["unshare", "-n", sys.executable, str(LAB), sys.executable, "-c", outside, *inner],
        env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, timeout=60, check=False, cwd="/",
    )  # fmt: skip
    assert "outside got b'hello'" in run.stdout
    assert "inside got hello" in run.stdout


def test_a_port_that_is_taken() -> None:
    run = run_lab("do", "", "--publish", "8000")
    assert run.returncode == 2
    assert "SBX022: port 8000 of 127.0.0.1 cannot be listened on" in run.stderr


def test_events_that_go_nowhere() -> None:
    run = run_lab("do", "", "--events", "/nowhere/events.jsonl")
    assert run.returncode == 2
    assert "SBX023: /nowhere/events.jsonl cannot be written: No such file or directory" in run.stderr


def test_interfaces() -> None:
    script = """
import fcntl
print(socket.if_nameindex(), socket.if_nametoindex("eth0"), socket.if_indextoname(1))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(socket.inet_ntoa(fcntl.ioctl(s, 0x8915, struct.pack("256s", b"eth0"))[20:24]))
n = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
n.bind((0, 0))
print(n.getsockname()[0] > 0, n.getsockname()[1])
n.sendto(struct.pack("=IHHIIB15x", 32, 16, 1, 7, 0, 0), (0, 0))
kind, code = struct.unpack("=4xH10xi", n.recv(999)[:20])
print(kind, -code)
"""
    assert lab(script, "--net", "host-rules").splitlines() == [
        "[(1, 'lo'), (2, 'eth0')] 2 lo",
        "198.18.0.2",
        "True 0",
        "2 1",
    ]


# attacks

SOAK = float(os.environ.get("SEKISHO_SOAK", "1"))


@pytest.mark.parametrize("kind", ["connect", "connect_mapped", "sendto", "sendmsg", "descriptors"])
def test_races(kind: str) -> None:
    line = [sys.executable, "-m", "sekisho", "sandbox", "do", "--allow", "203.0.113.7", "--readonly", "--mount",
            f"{LAB.parent}:/mnt", "--", PYTHON, "-I", "/mnt/race.py", kind, str(SOAK)]  # fmt: skip
    run = subprocess.run(
        ["unshare", "-n", sys.executable, str(LAB), *line],
        env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, timeout=SOAK * 3 + 60,
        check=False, cwd="/",
    )  # fmt: skip
    assert run.stderr == ""
    assert run.returncode == 0
    assert "REACHED" not in run.stdout
    assert len(run.stdout.splitlines()) >= 2


def test_the_connector_is_killed() -> None:
    """Without who decides, nothing outside is reached, and loopback goes on."""
    script = """
print(tcp("203.0.113.7"))
print("ready", flush=True)
sys.stdin.readline()
print(tcp("203.0.113.7"), udp("203.0.113.7"))
own = socket.create_server(("127.0.0.1", 0))
socket.create_connection(own.getsockname())
print("loopback")
"""
    outside = (
        "import subprocess, sys, os, signal\n"
        "run = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)\n"
        "lines = [run.stdout.readline(), run.stdout.readline()]\n"
        "def children(pid): return [int(w) for w in open(f'/proc/{pid}/task/{pid}/children').read().split()]\n"
        "names = {p: open(f'/proc/{p}/comm').read().strip() for s in children(run.pid) for p in children(s)}\n"
        "victim, = [p for p, name in names.items() if name == 'sekisho-connect']\n"
        "os.kill(victim, signal.SIGKILL)\n"
        "out, _ = run.communicate('go\\n', timeout=20)\n"
        "print(''.join(lines) + out, end='')\n"
    )
    inner = [sys.executable, "-m", "sekisho", "sandbox", "do", "--allow", "203.0.113.7", "--", PYTHON, "-I", "-c",
             HELPERS + script]  # fmt: skip
    run = subprocess.run(
        ["unshare", "-n", sys.executable, str(LAB), sys.executable, "-c", outside, *inner],
        env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, timeout=60, check=False, cwd="/",
    )  # fmt: skip
    assert run.stdout.splitlines() == ["outside 7", "ready", "ENETDOWN ENETDOWN", "loopback"], run.stderr


def test_sockets_that_are_passed_on() -> None:
    """A descriptor that goes through SCM_RIGHTS is no way around: it is looked at where it is used."""
    script = """
import array
one, two = socket.socketpair()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("203.0.113.7", 99))
socket.send_fds(one, [b"x"], [s.fileno()])
_, fds, _, _ = socket.recv_fds(two, 9, 1)
taken = socket.socket(fileno=fds[0])
taken.settimeout(2)
taken.send(b"mine")
print(taken.recv(99))
for host in ("203.0.113.8", "169.254.169.254", "198.51.100.9"):
    for call in (lambda: taken.connect((host, 99)), lambda: taken.sendto(b"x", (host, 99))):
        try:
            call()
            print("reached", host)
        except OSError as error:
            print(errno.errorcode[error.errno])
"""
    assert lab(script, "--allow", "203.0.113.7").splitlines() == ["b'203.0.113.7 mine'", *["EACCES"] * 6]


def test_abstract_sockets_of_the_machine_are_not_seen() -> None:
    outside = (
        "import socket, subprocess, sys\n"
        "s = socket.socket(socket.AF_UNIX); s.bind(b'\\0lab'); s.listen()\n"
        "sys.exit(subprocess.run(sys.argv[1:]).returncode)\n"
    )
    script = """
try:
    socket.socket(socket.AF_UNIX).connect(b"\\0lab")
    print("reached")
except OSError as error:
    print(errno.errorcode[error.errno])
"""
    inner = [sys.executable, "-m", "sekisho", "sandbox", "do", "--allow", "0.0.0.0/0", "--", PYTHON, "-I", "-c",
             HELPERS + script]  # fmt: skip
    run = subprocess.run(
        ["unshare", "-n", sys.executable, str(LAB), sys.executable, "-c", outside, *inner],
        env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, timeout=60, check=False, cwd="/",
    )  # fmt: skip
    assert run.stdout == "ECONNREFUSED\n"


CONTAINER = """
import json, os, subprocess, sys
sys.path.insert(0, sys.argv[1])
from sekisho.sandbox.oci_runtime.commands.spec import template
bundle = sys.argv[2]
os.makedirs(bundle + "/rootfs/etc")
config = json.loads(json.dumps(template()))
config["process"] |= {"args": sys.argv[3:], "terminal": False}
config["mounts"] += [
    {"destination": name, "source": name, "options": ["rbind", "ro"]}
    for name in ("/usr", "/lib", "/lib64", "/bin", os.path.dirname(os.path.dirname(sys.argv[3])))
    if os.path.isdir(name)
]
open(bundle + "/resolv.conf", "w").write("nameserver 127.0.0.1:5353\\n")
config["mounts"].append({"destination": "/etc/resolv.conf", "source": bundle + "/resolv.conf", "options": ["bind"]})
for item in config["linux"]["namespaces"]:
    if item["type"] == "network":
        item["path"] = f"/proc/{os.getpid()}/ns/net"
config["annotations"] = {
    "sandbox.sekisho.dev/egress": "203.0.113.8:80",
    "sandbox.sekisho.dev/egress-domains": "good.test",
}
open(bundle + "/config.json", "w").write(json.dumps(config))
starter = f"import sys; sys.path.insert(0, {sys.argv[1]!r}); from sekisho.sandbox.oci_runtime.main import main; main()"
engine = [sys.executable, "-I", "-S", "-c", starter, "--root", bundle + "/state"]
run = subprocess.run([*engine, "run", "--bundle", bundle, "lab"])
sys.exit(run.returncode)
"""


def test_annotations_of_a_container_in_a_pods_network(tmp_path: Path) -> None:
    script = 'print(tcp("203.0.113.8"), tcp("good.test"), tcp("203.0.113.9"), tcp("127.0.0.1", 8000), udp("203.0.113.9"))'
    run = subprocess.run(
        ["unshare", "-n", sys.executable, str(LAB), sys.executable, "-c", CONTAINER, str(SRC), str(tmp_path / "b"), PYTHON,
         "-I", "-S", "-c", HELPERS + script],
        env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, timeout=60, check=False, cwd="/",
    )  # fmt: skip
    # Its Pod's loopback is its own.
    assert run.stdout == "outside 8 outside 7 EACCES SECRET loopback EACCES\n", run.stderr
