"""The sandbox's network by rules beside the same without a sandbox: connecting, and data that passes.

In a network of its own, which answers for addresses that it does not have; needs root.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LAB = Path(__file__).parents[1] / "tests" / "unit" / "sandbox" / "network" / "lab.py"

WORK = r"""
import socket, sys, threading, time
def best(function, rounds):
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    times.sort()
    return times[len(times) // 10]
def connect():
    with socket.socket() as s:
        s.connect(("203.0.113.7", 80))
def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("203.0.113.7", 99))
        s.recv(99)
def again():
    OPEN.sendto(b"x", ("203.0.113.7", 99))
    OPEN.recv(99)
def pour():
    with socket.socket() as s:
        s.connect(("203.0.113.7", 5001))
        block = bytes(1 << 18)
        for _ in range(2048):
            s.sendall(block)
        s.shutdown(socket.SHUT_WR)
        s.recv(1)
OPEN = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(best(connect, 300) * 1e6, best(datagram, 300) * 1e6, best(again, 300) * 1e6, 512 / best(pour, 3))
"""

SINK = r"""
import socket, subprocess, sys, threading
server = socket.create_server(("203.0.113.7", 5001))
def loop():
    while True:
        client, _ = server.accept()
        while client.recv(1 << 18):
            pass
        client.sendall(b"x")
        client.close()
threading.Thread(target=loop, daemon=True).start()
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""


def figures(*before: str) -> list[float] | None:
    """Microseconds for a connection, a datagram's socket, another datagram; MB/s of one stream."""
    line = ["unshare", "-n", sys.executable, str(LAB), sys.executable, "-c", SINK, *before]
    python = str(Path(sys.executable).resolve())
    run = subprocess.run([*line, python, "-I", "-S", "-c", WORK], capture_output=True, text=True, check=False)
    return [float(word) for word in run.stdout.split()] if run.returncode == 0 else None


def main() -> None:
    """Print the table."""
    if os.geteuid() != 0:
        print("needs root, for a network of its own")
        return
    ours = (sys.executable, "-m", "sekisho", "sandbox", "do", "--allow", "203.0.113.7", "--")
    native, inside = figures(), figures(*ours)
    if native is None or inside is None:
        print("this machine cannot make the network or the sandbox")
        return
    print("| what | natively | by rules | ratio |\n| --- | --- | --- | --- |")
    rows = ("connect a stream, us", "socket, send, receive a datagram, us", "send, receive another, us")
    for name, one, two in zip(rows, native, inside, strict=False):
        print(f"| {name} | {one:.1f} | {two:.1f} | {two / one:.2f} |")
    print(f"| one stream, MB/s | {native[3]:.0f} | {inside[3]:.0f} | {native[3] / inside[3]:.2f} |")


if __name__ == "__main__":
    main()
