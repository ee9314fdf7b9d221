"""Which addresses may be asked for."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from sekisho.sandbox.sentry.net import Network


def inet(host: str) -> bytes:
    return struct.pack("=H2x", socket.AF_INET) + socket.inet_aton(host) + bytes(8)


def inet6(host: str) -> bytes:
    return struct.pack("=H2x4x", socket.AF_INET6) + socket.inet_pton(socket.AF_INET6, host) + bytes(4)


UNREACHABLE = errno.ENETUNREACH
ADDRESSES = [
    (inet("127.0.0.1"), 0),
    (inet("10.0.0.1"), 0),
    (inet("169.254.169.254"), UNREACHABLE),
    (inet("169.254.0.1"), UNREACHABLE),
    (inet("169.253.0.1"), 0),
    (inet6("::1"), 0),
    (inet6("::ffff:169.254.169.254"), UNREACHABLE),
    (inet6("::ffff:10.0.0.1"), 0),
    (inet6("fd00:ec2::254"), UNREACHABLE),
    (inet6("fd00:ec2::253"), 0),
    (inet6("fe80::1"), UNREACHABLE),
    (inet6("febf::1"), UNREACHABLE),
    (struct.pack("=H", socket.AF_UNIX) + b"\0name", errno.ECONNREFUSED),
    (struct.pack("=H", socket.AF_UNIX) + b"/run/socket\0", 0),
    (b"\2\0", 0),
]


@pytest.mark.parametrize(("address", "number"), ADDRESSES)
def test_refusal(address: bytes, number: int) -> None:
    assert Network(sealed=False).refusal(address) == number
    assert Network(sealed=True).refusal(address) == 0


def test_metadata_if_it_is_allowed() -> None:
    assert Network(sealed=False, metadata=True).refusal(inet("169.254.169.254")) == 0
