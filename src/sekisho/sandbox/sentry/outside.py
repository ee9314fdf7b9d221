"""Sockets that lead outside by rules.

A workload makes its sockets in its own network, where nothing but loopback is. When it connects one to an
address outside, the connector decides, makes another socket where the network is, and connects that; here it
takes the place of the workload's, with its options. What the workload has then is a socket of the host's own,
so that data costs nothing.

A socket that leads outside is told by the namespace that it was born in, which nothing can change. Everything
that could turn it elsewhere is asked for again.
"""

from __future__ import annotations

import errno
import os
from _socket import SO_DOMAIN, SOL_SOCKET, socket

from sekisho.sandbox import socket_native
from sekisho.sandbox.abi.flags import O_CLOEXEC
from sekisho.sandbox.network import wire
from sekisho.sandbox.network.addresses import is_local, place_of
from sekisho.sandbox.sentry import net, task
from sekisho.sandbox.sentry.call import Call, Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

OPTIONS: Final = (
    (1, 5, 4), (1, 6, 4), (1, 9, 4), (1, 12, 4), (1, 13, 8), (1, 16, 4), (1, 18, 4), (1, 20, 16), (1, 21, 16),
    (1, 29, 4), (6, 1, 4), (6, 3, 4), (6, 4, 4), (6, 5, 4), (6, 6, 4), (6, 7, 4), (6, 18, 4), (6, 25, 4),
    (0, 1, 4), (0, 2, 4), (0, 8, 4), (0, 10, 4), (0, 11, 4), (0, 12, 4), (0, 13, 4), (41, 16, 4), (41, 23, 4),
    (41, 25, 4), (41, 26, 4), (41, 49, 4), (41, 66, 4), (41, 67, 4),
)  # fmt: skip
"""Level, number and size of the options that go along: those that the table lets a workload set."""


def connect(call: Call, number: int, fd: int, address: bytes) -> int:
    """Connect under rules; ``fd`` is our duplicate of the caller's socket ``number``.

    1. Loopback is the workload's own: connect there. A socket that leads outside is replaced by one that
       does not, for elsewhere loopback is the machine's.
    2. The connector decides on our copy of the address, and nobody else.
    3. A socket that leads outside already is connected by us, to that copy; another is replaced.
    """
    network = call.kernel.network
    link, place = network.link, place_of(address)
    assert link is not None
    if place is None or is_local(place.host):
        stream = net.kind_of(fd) == net.SOCK_STREAM
        if network.moves and place is not None and stream and place.port in network.published:
            return _finish(call, number, fd, address, _ask(call, wire.INWARD, fd, address))
        if network.is_foreign(fd):
            with_new = _fresh(fd)
            try:
                if place is not None:
                    _connect(call, with_new, address)
            except BaseException:
                os.close(with_new)
                raise
            _move(call, number, fd, with_new)
            return 0
        _connect(call, fd, address)
        return 0
    if not network.moves or network.is_foreign(fd):
        _refuse(_ask(call, wire.VERDICT, fd, address))
        _connect(call, fd, address)
        return 0
    return _finish(call, number, fd, address, _ask(call, wire.CONNECT, fd, address))


def bind(call: Call, number: int, fd: int, address: bytes) -> bool:
    """Bind under rules: whether that is all, or the address is the workload's own to bind to.

    A port that is published is listened for on the machine. A socket that leads outside is bound already.
    """
    network = call.kernel.network
    if not network.moves:
        return False
    if network.is_foreign(fd):
        raise Errno(errno.EINVAL)
    place = place_of(address)
    if place is None or place.port not in network.published or net.kind_of(fd) != net.SOCK_STREAM:
        return False
    answer = _ask(call, wire.BIND, fd, address)
    _refuse(answer)
    if answer.fd < 0:
        return False
    network.listeners.add(net.option(answer.fd, SOL_SOCKET, net.SO_COOKIE, net.WORD))
    os.set_blocking(answer.fd, os.get_blocking(fd))
    _move(call, number, fd, answer.fd)
    return True


def may_listen(call: Call, fd: int) -> None:
    """Refuse to listen outside on a port that nobody published."""
    network = call.kernel.network
    if network.is_foreign(fd):
        cookie = net.option(fd, SOL_SOCKET, net.SO_COOKIE, net.WORD)
        if cookie not in network.listeners:
            raise Errno(errno.EACCES)


class Way:
    """How a message goes: the descriptor to send it on, which is closed at the end if it is not the one that
    was given, and the address to send it with.
    """

    __slots__ = ("_given", "address", "fd")

    def __init__(self, given: int, fd: int, address: bytes) -> None:
        self._given = given
        self.fd = fd
        self.address = address

    def close(self) -> None:
        """Close what was made."""
        if self.fd != self._given:
            os.close(self.fd)


def way(call: Call, number: int, fd: int, address: bytes) -> Way:
    """Which way a message to an address goes, under rules.

    A socket that leads outside is always connected, so that it hears nobody but whom it talks to: a message
    to somebody else connects it anew.
    """
    network = call.kernel.network
    if net.kind_of(fd) == net.SOCK_STREAM:
        return Way(fd, fd, b"")  # where it goes was decided when it was connected
    place = place_of(address)
    if place is None:
        raise Errno(errno.EAFNOSUPPORT)
    if is_local(place.host):
        if not network.is_foreign(fd):
            return Way(fd, fd, address)
        fresh = _fresh(fd)
        kept = os.dup(fresh)
        _move(call, number, fd, fresh)
        return Way(fd, kept, address)
    if not network.moves:
        _refuse(_ask(call, wire.VERDICT, fd, address))
        return Way(fd, fd, address)
    if network.is_foreign(fd):
        _refuse(_ask(call, wire.VERDICT, fd, address))
        call.valid()
        socket_native.connect(fd, address)
        return Way(fd, fd, b"")
    answer = _ask(call, wire.CONNECT, fd, address)
    _refuse(answer)
    kept = os.dup(answer.fd)
    os.set_blocking(kept, os.get_blocking(fd))
    _move(call, number, fd, answer.fd)
    return Way(fd, kept, b"")


def _ask(call: Call, op: int, fd: int, address: bytes) -> wire.Answer:
    link = call.kernel.network.link
    assert link is not None
    call.valid()
    what = (int.from_bytes(net.option(fd, SOL_SOCKET, SO_DOMAIN, 4), "little"), net.kind_of(fd), 0)
    process, _thread = task.inner_ids(call)
    return link.ask(op, what, address, (process, task.name(call.tid)))


def _refuse(answer: wire.Answer) -> None:
    if answer.error and answer.error != errno.EINPROGRESS:
        raise Errno(answer.error)


def _finish(call: Call, number: int, fd: int, address: bytes, answer: wire.Answer) -> int:
    """Give the caller what the connector connected, when it is connected if the caller's socket waits."""
    _refuse(answer)
    new, blocks = answer.fd, os.get_blocking(fd)
    try:
        _copy_options(fd, new)
        os.set_blocking(new, blocks)
        if blocks and answer.error:
            with call.kernel.waiting(call):
                socket_native.connect(new, address)  # begun already: this waits for it
    except BaseException:
        os.close(new)
        raise
    _move(call, number, fd, new, options=False)
    if answer.error and not blocks:
        raise Errno(errno.EINPROGRESS)
    return 0


def _connect(call: Call, fd: int, address: bytes) -> None:
    call.valid()
    if not os.get_blocking(fd):
        socket_native.connect(fd, address)
        return
    with call.kernel.waiting(call):
        socket_native.connect(fd, address)


def _fresh(fd: int) -> int:
    """A socket of the workload's own network, of the same kind, that waits as the other does."""
    family = int.from_bytes(net.option(fd, SOL_SOCKET, SO_DOMAIN, 4), "little")
    new = socket_native.new(family, net.kind_of(fd) | O_CLOEXEC, 0)
    os.set_blocking(new, os.get_blocking(fd))
    return new


def _move(call: Call, number: int, old: int, new: int, *, options: bool = True) -> None:
    """Put a socket in the place of the caller's; ours is closed."""
    try:
        if options:
            _copy_options(old, new)
        flags = task.descriptor_flags(call, number)
    except BaseException:
        os.close(new)
        raise
    call.replace(new, number, flags)


def _copy_options(old: int, new: int) -> None:
    """Options that were set on one socket, on the other."""
    ours, theirs = socket(fileno=old), socket(fileno=new)
    try:
        for level, name, size in OPTIONS:
            try:
                value = ours.getsockopt(level, name, size)
                if value != theirs.getsockopt(level, name, size):
                    theirs.setsockopt(level, name, value)
            except OSError:
                continue  # of another protocol, or what only the machine's root may set
    finally:
        ours.detach()
        theirs.detach()
