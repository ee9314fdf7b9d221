"""Answers queries for names that rules allow by asking name servers, and pins what they lead to.

Nothing that a name server says reaches the workload but addresses: the answer is made anew. Types of records
other than addresses do not exist here, for they carry data, and hints that lead elsewhere.
"""

from __future__ import annotations

import os
import select
from _socket import AF_INET, AF_INET6, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, socket

from sekisho.sandbox.network import dns
from sekisho.sandbox.network.addresses import MAPPED, host_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

    from sekisho.sandbox.events import Events
    from sekisho.sandbox.network.rules import Rules

PENDING_MOST: Final = 128
"""Queries under way; more of them are dropped, and asked again by who asked."""
PATIENCE: Final = 2.0
"""Seconds until the next name server is asked."""
ROUNDS: Final = 2


class _Pending:
    __slots__ = ("client", "deadline", "id", "query", "sock", "tries")

    def __init__(self, query: dns.Query, client: Any) -> None:
        self.query = query
        self.client = client
        self.tries = 0
        self.deadline = 0.0
        self.id = 0
        self.sock: socket | None = None


class Resolver:
    """Serves one socket of the sandbox's network. ``poll`` is the caller's: ``ready`` takes its events."""

    def __init__(
        self,
        sock: socket,
        servers: Sequence[tuple[str, int]],
        rules: Rules,
        events: Events,
        poll: select.poll,
    ) -> None:
        self._sock = sock
        self._servers = servers
        self._rules = rules
        self._events = events
        self._poll = poll
        self._pending: dict[int, _Pending] = {}
        sock.setblocking(False)
        poll.register(sock, select.POLLIN)

    def ready(self, fd: int, now: float) -> None:
        """A descriptor that is ours is ready."""
        if fd == self._sock.fileno():
            self._query(now)
        elif fd in self._pending:
            self._reply(self._pending[fd], now)

    def next_deadline(self) -> float | None:
        """When ``expire`` has something to do."""
        return min((item.deadline for item in self._pending.values()), default=None)

    def expire(self, now: float) -> None:
        """Ask the next name server where one has not answered."""
        for item in [item for item in self._pending.values() if item.deadline <= now]:
            self._ask(item, now)

    # from the sandbox

    def _query(self, now: float) -> None:
        try:
            message, client = self._sock.recvfrom(dns.MESSAGE_MOST)
        except OSError:
            return
        try:
            query = dns.read_query(message)
        except dns.Malformed:
            if refusal := dns.cannot(message):
                self._send(refusal, client)
            return
        rule = self._rules.allows_name(query.name)
        if rule is None:
            self._told(query, "refuse", why="no rule allows this name")
            self._send(dns.write_answer(query, dns.NO_NAME), client)
        elif query.kind not in (dns.A, dns.AAAA):
            self._send(dns.write_answer(query, dns.OK), client)
        elif len(self._pending) < PENDING_MOST:
            self._ask(_Pending(query, client), now)

    def _told(self, query: dns.Query, verdict: str, **more: object) -> None:
        self._events.tell("network", action="resolve", name=query.name, verdict=verdict, **more)

    def _send(self, message: bytes, client: Any) -> None:
        try:
            self._sock.sendto(message, client)
        except OSError:
            pass  # who asked is gone

    # to the name servers

    def _ask(self, item: _Pending, now: float) -> None:
        self._forget(item)
        while item.tries < ROUNDS * len(self._servers):
            host, port = self._servers[item.tries % len(self._servers)]
            item.tries += 1
            item.id = int.from_bytes(os.urandom(2), "big")
            sock = None
            try:
                family = AF_INET6 if ":" in host else AF_INET
                sock = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
                sock.connect((host, port))
                sock.send(dns.write_query(item.id, item.query.name, item.query.kind))
            except OSError:
                if sock is not None:
                    sock.close()
                continue
            item.sock = sock
            item.deadline = now + PATIENCE
            self._pending[sock.fileno()] = item
            self._poll.register(sock, select.POLLIN)
            return
        self._told(item.query, "fail", why="no name server answers")
        self._send(dns.write_answer(item.query, dns.FAILED), item.client)

    def _forget(self, item: _Pending) -> None:
        if item.sock is not None:
            self._poll.unregister(item.sock)
            del self._pending[item.sock.fileno()]
            item.sock.close()
            item.sock = None

    def _reply(self, item: _Pending, now: float) -> None:
        assert item.sock is not None
        try:
            message = item.sock.recv(dns.MESSAGE_MOST)
        except OSError:
            self._ask(item, now)  # refused there: the next one
            return
        query = item.query
        try:
            answer = dns.read_answer(message, item.id, query.name, query.kind)
        except dns.Malformed:
            return  # not from whom we asked, or damaged: the right one may still come
        if answer.status not in (dns.OK, dns.NO_NAME):
            self._ask(item, now)
            return
        self._forget(item)
        good, dropped = [], []
        for data, ttl in answer.addresses:
            host = MAPPED + data if query.kind == dns.A else data
            inside = self._rules.leads_inside(host)
            if inside and not self._rules.gives_inside(host):
                dropped.append(host_text(host))
                continue
            if not inside:
                self._rules.pin(query.name, host, ttl, now)
            good.append((data, ttl))
        found = [host_text(MAPPED + data if query.kind == dns.A else data) for data, _ in good]
        if dropped:
            self._told(
                query, "refuse", addresses=dropped, why="it leads inside: that takes a rule on addresses"
            )
        if found or not dropped:
            self._told(query, "allow", addresses=found)
        self._send(dns.write_answer(query, answer.status, good), item.client)
