"""A network to try rules in: a program, not a test. Run in a network namespace of its own, as root.

``python lab.py COMMAND...`` brings up loopback so that it answers for 203.0.113.0/24 and for the metadata
address without having them, and for 198.51.100.9, which it has; serves TCP, UDP and names there; and runs the
command.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading

NAMES = {
    "good.test": ["203.0.113.7"],
    "evil.test": ["127.0.0.1", "169.254.169.254", "10.0.0.1"],
    "half.test": ["203.0.113.8", "127.0.0.1"],
    "a.below.test": ["203.0.113.9"],
    "own.test": ["198.51.100.9"],
    "metadata.google.internal": ["169.254.169.254"],
}
FLIPS = ["203.0.113.7", "127.0.0.1"]
"""What flip.test leads to, by turns: a name that is bound again."""

SETUP = """
ip link set lo up
ip route add local 203.0.113.0/24 dev lo
ip route add local 169.254.169.254 dev lo
ip addr add 198.51.100.9/32 dev lo
ip route add local 10.0.0.1 dev lo
"""


def tcp(host: str, port: int, text: bytes) -> None:
    server = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)

    def loop() -> None:
        while True:
            client, _ = server.accept()
            client.sendall(text)
            client.close()

    threading.Thread(target=loop, daemon=True).start()


def udp(host: str, port: int) -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((host, port))

    def loop() -> None:
        while True:
            data, client = server.recvfrom(9999)
            server.sendto(host.encode() + b" " + data, client)

    threading.Thread(target=loop, daemon=True).start()


def names(host: str, port: int) -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((host, port))
    turns = 0

    def answer(query: bytes) -> bytes:
        nonlocal turns
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, question = ".".join(labels), query[12 : at + 5]
        (kind,) = struct.unpack(">H", query[at + 1 : at + 3])
        found = NAMES.get(name, [])
        if name == "flip.test" and kind == 1:
            found = [FLIPS[turns % 2]]
            turns += 1
        records = b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(item)
            for item in (found if kind == 1 else [])
        )
        count = len(records) // 16
        return query[:2] + struct.pack(">5H", 0x8180, 1, count, 0, 0) + question + records

    def loop() -> None:
        while True:
            query, client = server.recvfrom(9999)
            server.sendto(answer(query), client)

    threading.Thread(target=loop, daemon=True).start()


def main() -> int:
    subprocess.run(["/bin/sh", "-ec", SETUP], check=True)
    for last in (7, 8, 9):
        tcp(f"203.0.113.{last}", 80, f"outside {last}\n".encode())
        udp(f"203.0.113.{last}", 99)
    tcp("169.254.169.254", 80, b"SECRET metadata\n")
    tcp("198.51.100.9", 80, b"SECRET own\n")
    tcp("10.0.0.1", 80, b"SECRET inside\n")
    tcp("127.0.0.1", 8000, b"SECRET loopback\n")
    tcp("::1", 8000, b"SECRET loopback\n")
    udp("127.0.0.1", 8000)
    names("127.0.0.1", 5353)
    return subprocess.run(sys.argv[1:], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
