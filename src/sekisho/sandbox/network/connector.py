"""The process that decides on connections and makes them, where the network is.

The Sentry reads what the workload shows it, and has no network but the sandbox's own. This process has the
machine's, and reads nothing but requests: an address in, a socket that is connected to it, or a refusal, out.
"""

from __future__ import annotations

import errno
import os
import select
import time
from _socket import (
    AF_INET,
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    SO_REUSEADDR,
    SOCK_CLOEXEC,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_STREAM,
    SOL_SOCKET,
    socket,
)

from sekisho.sandbox import filters, landlock_native, process_native, seccomp_native, socket_native
from sekisho.sandbox.abi.capabilities import NET_BIND_SERVICE
from sekisho.sandbox.abi.flags import CLONE_NEWNET, O_CLOEXEC
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.events import Events
from sekisho.sandbox.network import netlink, wanted, wire
from sekisho.sandbox.network.addresses import host_of, place_of
from sekisho.sandbox.network.resolver import Resolver
from sekisho.sandbox.network.rules import Rules, matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import Final, NoReturn

    from sekisho.sandbox.network.addresses import Place
    from sekisho.sandbox.network.rules import Verdict
    from sekisho.sandbox.spec import Network, Published, SandboxSpec
else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start

NOBODY: Final = 65_534
REFUSED: Final = errno.EACCES
"""What connect(2) gives where a firewall of the machine's forbids it."""
BACKLOG: Final = 128
SERVERS_MOST: Final = 3
"""Name servers, as many as the C library asks."""
FILE_MOST: Final = 1 << 20


def needed(spec: SandboxSpec) -> bool:
    """Whether a sandbox has a connector."""
    return spec.network.mode == "rules"


def start(spec: SandboxSpec, events: int) -> wire.Link:
    """Start the connector of a sandbox; it ends when the link is closed. SandboxError if it cannot be."""
    from _socket import AF_UNIX, SOCK_SEQPACKET, socketpair

    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)
    if os.fork() == 0:
        ours.close()
        _run(spec, theirs, events)
    theirs.close()
    first = ours.recv(4096)
    if first != READY:
        if not first:
            raise SandboxError("SBX019", "the sandbox's connector ended before it was ready")
        raise SandboxError.unpack(first)
    return wire.Link(ours)


READY: Final = b"ready"


def _run(spec: SandboxSpec, sock: socket, events: int) -> NoReturn:
    status = 1
    try:
        process_native.die_with_parent(signal.SIGKILL)
        process_native.keep_only((0, 1, 2, sock.fileno(), *((events,) if events >= 0 else ())))
        connector = _prepare(spec, sock, events)
        sock.send(READY)
        connector.serve()
        status = 0
    except Exception as error:  # noqa: BLE001  whatever it is, the Sentry is told
        sock.send(SandboxError.of(error, "preparing the sandbox's network").pack())
    finally:
        os._exit(status)


def _prepare(spec: SandboxSpec, sock: socket, events: int) -> Connector:
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR | O_CLOEXEC)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)
    path = spec.namespaces.joined.get("network")
    if path:
        fd = os.open(path, os.O_RDONLY | O_CLOEXEC)
        process_native.setns(fd, CLONE_NEWNET)
        os.close(fd)
    route = netlink.open_route()
    own = netlink.own_addresses(route)
    route.close()
    rules = Rules(spec.network, own)
    _pin_hosts(rules)
    servers = _servers(spec.network)
    for port in spec.network.published:
        _try(port)
    connector = Connector(sock, rules, Events(events), servers, spec.network.published)
    _shrink(any(port.port < 1024 for port in spec.network.published))
    return connector


def _servers(network: Network) -> tuple[tuple[str, int], ...]:
    given = [wanted.nameserver(text) for text in network.nameservers]
    if not given:
        rows = [line.split() for line in _text("/etc/resolv.conf").splitlines()]
        given = [(row[1].partition("%")[0], 53) for row in rows if len(row) > 1 and row[0] == "nameserver"]
    return tuple(given[:SERVERS_MOST])


def _pin_hosts(rules: Rules) -> None:
    """Pin what the machine's table of hosts says of names that rules allow: programs read it themselves."""
    for line in _text("/etc/hosts").splitlines():
        words = line.partition("#")[0].lower().split()
        for name in words[1:]:
            if not any(rule.allow and matches(rule.target, name) for rule in rules.domains):
                continue
            try:
                host = host_of(words[0])
            except ValueError:
                continue
            if not rules.leads_inside(host):
                rules.pin_for_ever(name, host)


def _text(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, FILE_MOST).decode("utf-8", "replace")
    finally:
        os.close(fd)


def _try(port: Published) -> None:
    """Find out now whether a port can be had."""
    try:
        os.close(_listener(port))
    except OSError as error:
        raise SandboxError(
            "SBX022",
            f"port {port.port} of {port.address} cannot be listened on: {error.strerror}",
            "choose another port with --publish",
        ) from None


def _listener(port: Published) -> int:
    family = AF_INET6 if ":" in port.address else AF_INET
    sock = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)
    try:
        sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        if family == AF_INET6:
            sock.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1)
        sock.bind((port.address, port.port))
        return sock.detach()
    except OSError:
        sock.close()
        raise


def _shrink(low_ports: bool) -> None:
    """Become nobody, see no file, and have a filter; keep the right to low ports where one is published."""
    program = filters.load_connector()
    process_native.set_name("sekisho-connect")
    keep = frozenset({NET_BIND_SERVICE}) if low_ports else frozenset()
    if os.geteuid() == 0:
        if keep:
            process_native.keep_capabilities()
        os.setgroups(())
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        process_native.set_capabilities(keep, keep)
    else:
        process_native.set_capabilities((), ())
    process_native.clear_ambient()
    process_native.no_new_privileges()
    process_native.hide()
    landlock_native.restrict((), scopes=False)
    seccomp_native.load(program)


class Connector:
    """The loop of the process. The first thing that comes over the link is the resolver's socket."""

    def __init__(
        self,
        sock: socket,
        rules: Rules,
        events: Events,
        servers: tuple[tuple[str, int], ...],
        published: tuple[Published, ...],
    ) -> None:
        self._sock = sock
        self._rules = rules
        self._events = events
        self._servers = servers
        self._published = {port.inner: port for port in published}
        self._answers: dict[int, Callable[[wire.Asked], None]] = {
            wire.CONNECT: self._connect,
            wire.VERDICT: self._verdict,
            wire.BIND: self._bind,
            wire.INWARD: self._inward,
        }

    def serve(self) -> None:
        """Answer until the Sentry is gone."""
        poll = select.poll()
        resolver = self._resolver(poll)
        if resolver is None:
            return
        own = self._sock.fileno()
        poll.register(own, select.POLLIN)
        while True:
            deadline = resolver.next_deadline()
            wait = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000 + 1
            for fd, _event in poll.poll(wait):
                if fd != own:
                    resolver.ready(fd, time.monotonic())
                elif not self._one():
                    return
            resolver.expire(time.monotonic())

    def _resolver(self, poll: select.poll) -> Resolver | None:
        _data, ancillary, _flags, _from = self._sock.recvmsg(1, 64)
        for _level, _type, value in ancillary:
            (fd,) = wire.FD.unpack(value[: wire.FD.size])
            return Resolver(socket(fileno=fd), self._servers, self._rules, self._events, poll)
        return None

    def _one(self) -> bool:
        data = self._sock.recv(wire.REQUEST_MOST)
        if len(data) < wire.REQUEST.size:
            return False
        asked = wire.Asked(data)
        answer = self._answers.get(asked.op)
        if answer is None:
            wire.reply(self._sock, errno.EINVAL)
        else:
            answer(asked)
        return True

    def _decide(self, asked: wire.Asked) -> tuple[Place, Verdict] | None:
        place = place_of(asked.address)
        if place is None:
            wire.reply(self._sock, errno.EAFNOSUPPORT)
            return None
        protocol = "udp" if asked.kind == SOCK_DGRAM else "tcp"
        verdict = self._rules.verdict(place, protocol, time.monotonic())
        self._events.tell(
            "network",
            action="connect",
            protocol=protocol,
            address=place.text(),
            port=place.port,
            verdict="allow" if verdict.allow else "refuse",
            name=verdict.name or None,
            rule=verdict.rule or None,
            why=verdict.why or None,
            pid=asked.pid,
            program=asked.program,
        )
        if not verdict.allow:
            wire.reply(self._sock, REFUSED)
            return None
        return place, verdict

    def _verdict(self, asked: wire.Asked) -> None:
        if self._decide(asked) is not None:
            wire.reply(self._sock, 0)

    def _connect(self, asked: wire.Asked) -> None:
        if self._decide(asked) is not None:
            self._to(asked, asked.address)

    def _to(self, asked: wire.Asked, address: bytes) -> None:
        """Connect a new socket, which does not block, to an address that was decided on."""
        kind = SOCK_DGRAM if asked.kind == SOCK_DGRAM else SOCK_STREAM
        family = int.from_bytes(address[:2], "little")
        try:
            fd = socket_native.new(family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
        except OSError as error:
            wire.reply(self._sock, error.errno or errno.EIO)
            return
        try:
            socket_native.connect(fd, address)
        except BlockingIOError:
            wire.reply(self._sock, errno.EINPROGRESS, 0, fd)
        except OSError as error:
            os.close(fd)
            wire.reply(self._sock, error.errno or errno.EIO)
        else:
            wire.reply(self._sock, 0, 0, fd)

    # inwards

    def _port(self, asked: wire.Asked) -> Published | None:
        place = place_of(asked.address)
        return self._published.get(place.port) if place is not None and asked.kind == SOCK_STREAM else None

    def _bind(self, asked: wire.Asked) -> None:
        port = self._port(asked)
        if port is None:
            wire.reply(self._sock, 0, wire.LOCAL)
            return
        fields = {"action": "publish", "port": port.inner, "address": port.address, "outer": port.port}
        try:
            fd = _listener(port)
        except OSError as error:
            self._events.tell("network", **fields, verdict="fail", why=error.strerror)
            wire.reply(self._sock, error.errno or errno.EIO)
            return
        self._events.tell("network", **fields, verdict="allow", pid=asked.pid, program=asked.program)
        wire.reply(self._sock, 0, 0, fd)

    def _inward(self, asked: wire.Asked) -> None:
        port = self._port(asked)
        if port is None:
            wire.reply(self._sock, errno.ECONNREFUSED)
            return
        raw = host_of(port.address)
        at = port.port.to_bytes(2, "big")
        if ":" in port.address:
            address = AF_INET6.to_bytes(2, "little") + at + bytes(4) + raw + bytes(4)
        else:
            address = AF_INET.to_bytes(2, "little") + at + raw[12:] + bytes(8)
        self._to(asked, address)
