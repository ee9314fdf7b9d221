"""Calls on sockets, with addresses as the kernel takes them."""

from __future__ import annotations

from sekisho.sandbox import c_native
from sekisho.sandbox.libc_native import fail, function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_int, _text, _uint = c_native.c_int, c_native.c_char_p, c_native.c_uint
_socket: Final = function("socket", _int, _int, _int)
_connect: Final = function("connect", _int, _text, _uint)
_bind: Final = function("bind", _int, _text, _uint)
_listen: Final = function("listen", _int, _int)


def _check(result: int) -> int:
    if result == -1:
        raise fail()
    return result


def new(family: int, kind: int, protocol: int) -> int:
    """socket(2)."""
    return _check(_socket(family, kind, protocol))


def connect(fd: int, address: bytes) -> None:
    """Connect a socket (connect(2))."""
    _check(_connect(fd, address, len(address)))


def bind(fd: int, address: bytes) -> None:
    """Bind a socket (bind(2))."""
    _check(_bind(fd, address, len(address)))


def listen(fd: int, backlog: int) -> None:
    """Listen a socket (listen(2))."""
    _check(_listen(fd, backlog))


_name: Final = function("getsockname", _int, c_native.c_void_p, c_native.c_void_p)
NAME_MOST: Final = 128


def name_of(fd: int) -> bytes:
    """The address of a socket, as the kernel has it (getsockname(2))."""
    buffer = c_native.create_string_buffer(NAME_MOST)
    length = _uint(NAME_MOST)
    _check(_name(fd, c_native.addressof(buffer), c_native.addressof(length)))
    return buffer.raw[: length.value]


class _Vector(c_native.Structure):
    _fields_ = (("at", c_native.c_char_p), ("length", c_native.c_size_t))


class _Message(c_native.Structure):
    _fields_ = (
        ("name", c_native.c_char_p),
        ("name_length", _uint),
        ("vectors", c_native.c_void_p),
        ("count", c_native.c_size_t),
        ("control", c_native.c_char_p),
        ("control_length", c_native.c_size_t),
        ("flags", _int),
    )


_sendmsg: Final = function("sendmsg", _int, c_native.c_void_p, _int)
_sendmsg.restype = c_native.c_ssize_t


def send_message(fd: int, data: bytes, address: bytes, control: bytes, flags: int) -> int:
    """Send data, to an address and with control messages if they are not empty (sendmsg(2))."""
    vector = _Vector(data, len(data))
    message = _Message(
        address or None,
        len(address),
        c_native.addressof(vector),
        1,
        control or None,
        len(control),
        0,
    )
    return _check(_sendmsg(fd, c_native.addressof(message), flags))
