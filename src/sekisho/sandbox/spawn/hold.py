"""Holds the namespaces that the containers of a Pod share: network with loopback alone, IPC, host name.

    python -m sekisho.sandbox.spawn.hold HOSTNAME [ADDRESS]

Says ``ready`` once they are made; they are found below /proc/PID/ns. It goes when its standard input ends, or
with the thread that started it. ADDRESS is an IPv4 address that the loopback has besides its own.
"""

from __future__ import annotations

import fcntl
import os
import sys

from sekisho.sandbox import process_native
from sekisho.sandbox.abi.flags import CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWUTS
from sekisho.sandbox.spawn.init import loopback_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Final
else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start

SIOCSIFADDR: Final = 0x8916
SIOCSIFNETMASK: Final = 0x891C
ALIAS: Final = b"lo:1"
"""The loopback under its second name, by which it gets a second address."""


def give_address(address: str) -> None:
    """Let the loopback of this network namespace have one more IPv4 address."""
    from _socket import AF_INET, SOCK_DGRAM, inet_aton, socket

    sock = socket(AF_INET, SOCK_DGRAM, 0)
    try:
        for request, number in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.255")):
            value = AF_INET.to_bytes(2, "little") + bytes(2) + inet_aton(number) + bytes(8)
            fcntl.ioctl(sock.fileno(), request, ALIAS.ljust(16, b"\0") + value + bytes(8))
    finally:
        sock.close()


def let_ports_be_taken() -> None:
    """Let everybody listen on every port of this network namespace: nobody else's services are in it."""
    try:
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w", encoding="ascii") as file:
            file.write("0")
    except OSError:
        pass  # a /proc that cannot be written; then ports below 1024 are not to be had


def main(hostname: str, address: str = "") -> None:
    """Make them, and hold them until standard input ends."""
    process_native.die_with_parent(signal.SIGKILL)
    process_native.set_name("sekisho-pod")
    process_native.unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
    process_native.set_hostname(hostname)
    loopback_up()
    if address:
        give_address(address)
    let_ports_be_taken()
    os.write(1, b"ready\n")
    while os.read(0, 64):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
