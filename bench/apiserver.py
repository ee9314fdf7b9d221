"""The embedded API server: time to ready, creates, lists, watchers, memory; a real kube-apiserver beside it.

The peer is a kube-apiserver with its etcd in one process (``kube-apiserver-embedded``). Both get the same
bytes from the same client, which shares the machine with them: it is a part of the time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.apiclients import config_map, create, list_all, namespace, pod, watch
from bench.peers import program
from tests.simulators.up import SEKISHO_UP, Up, resident
from tests.simulators.wire import Access, Wire, access_of

STARTS = 5
PEER_STARTS = 3
"""The quickest one counts, of both: the machine may be busy."""
AFTER_KILL = "ready after kill -9, with 10,000 Pods"
CREATES = 1_500
"""Objects for each number of connections."""
LISTED = 10_000
PODS = 5_000
WATCHERS = 50
WATCHED = 300
"""Objects that the watchers hear of."""
READY_SECONDS = 60.0
TOKEN = "benchmark"

Row = tuple[str, float, str, bool]
"""What, how much, of what, and whether more is better."""


async def measure(access: Access, pid: int) -> list[Row]:
    """Everything that is asked of a running server; it has nothing yet but what it makes itself."""
    rows: list[Row] = [("memory, empty", resident(pid), "MB", False)]
    for name in ("small", "pods", "watched"):
        await namespace(access, name)
    path = "/api/v1/namespaces/small/configmaps"
    for connections in (1, 16):
        bodies = [config_map("small", f"m{connections}-{at}") for at in range(CREATES)]
        rate = await create(access, path, bodies, connections)
        rows.append((f"creates of ConfigMaps, {connections} connections", rate, "/s", True))
    bodies = [pod("pods", f"p{at}") for at in range(PODS)]
    rate = await create(access, "/api/v1/namespaces/pods/pods", bodies, 16)
    rows.append(("creates of Pods, 16 connections", rate, "/s", True))
    rows.append((f"memory, {PODS:,} Pods more", resident(pid), "MB", False))
    bodies = [pod("pods", f"p{at}") for at in range(PODS, LISTED)]
    await create(access, "/api/v1/namespaces/pods/pods", bodies, 16)
    took, size = await list_all(access, "/api/v1/namespaces/pods/pods", LISTED)
    rows.append((f"LIST of {LISTED:,} Pods", took, "ms", False))
    rows.append(("size of that list", size, "MB", False))
    return [*rows, *await _watched(access)]


async def _watched(access: Access) -> list[Row]:
    bodies = [config_map("watched", f"m{at}") for at in range(WATCHED)]
    found = await watch(access, "/api/v1/namespaces/watched/configmaps", bodies, WATCHERS)
    wrong = found.lost + found.doubled + found.disordered
    return [
        (f"events to {WATCHERS} watchers", found.rate, "/s", True),
        (f"of {found.events:,} events lost, doubled or out of order", wrong, "", False),
    ]


def ours(folder: Path) -> list[Row]:
    """The embedded server, started a few times first."""
    starts = []
    for at in range(STARTS):
        with Up.start(folder / f"start{at}") as up:
            starts.append(up.seconds)
    again = []
    for _ in range(STARTS):
        with Up.start(folder / "start0") as up:
            again.append(up.seconds)
    rows: list[Row] = [
        ("ready, new folder", min(starts), "s", False),
        ("ready, again", min(again), "s", False),
    ]
    with Up.start(folder / "data") as up:
        rows += asyncio.run(measure(access_of(up.kubeconfig), up.process.pid))
        up.kill()
    with Up.start(folder / "data") as up:
        rows.append((AFTER_KILL, up.seconds, "s", False))
    with Up.start(folder / "guarded", module=SEKISHO_UP) as up:
        rows.append(("ready with the guard of policies, new folder", up.seconds, "s", False))
        rows.append(("memory with the guard, empty", up.megabytes, "MB", False))
    return rows


def theirs(peer: str, folder: Path) -> list[Row]:
    """The peer, started on new folders, again on them, and once more after it was killed."""
    first, again = [], []
    for found in (first, again):
        for at in range(PEER_STARTS):
            (folder / f"start{at}").mkdir(exist_ok=True)
            with _peer(peer, folder / f"start{at}") as (_, _, seconds):
                found.append(seconds)
    rows: list[Row] = [
        ("ready, new folder", min(first), "s", False),
        ("ready, again", min(again), "s", False),
    ]
    with _peer(peer, folder / "start0") as (access, pid, _):
        rows += asyncio.run(measure(access, pid))
        os.kill(pid, signal.SIGKILL)
    with _peer(peer, folder / "start0") as (_, _, seconds):
        rows.append((AFTER_KILL, seconds, "s", False))
    return rows


@contextlib.contextmanager
def _peer(peer: str, folder: Path) -> Iterator[tuple[Access, int, float]]:
    """A running kube-apiserver: how to reach it, its process, and the seconds until it was ready."""
    port = _free_port()
    (folder / "tokens.csv").write_text(f"{TOKEN},admin,1,system:masters\n", encoding="ascii")
    key = folder / "sa.key"
    if not key.exists():
        key.write_bytes(_key())
    flags = [
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        f"--cert-dir={folder / 'certs'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        # Nobody makes service accounts here: that is a controller's work.
        "--disable-admission-plugins=ServiceAccount",
    ]
    start = time.perf_counter()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([peer, "-dir", str(folder), "--", *flags], stdout=log, stderr=log)
    try:
        access = asyncio.run(_ready(process, port))
        yield access, process.pid, time.perf_counter() - start
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _ready(process: subprocess.Popen[bytes], port: int) -> Access:
    """Wait until /readyz says so."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it signs for itself at each start
    access = Access(port=port, context=context, token=TOKEN)
    until = time.perf_counter() + READY_SECONDS
    while time.perf_counter() < until and process.poll() is None:
        with contextlib.suppress(OSError, EOFError):
            wire = await Wire.open(access)
            try:
                if (await wire.ask("GET", "/readyz")).code == 200:
                    return access
            finally:
                wire.close()
        await asyncio.sleep(0.05)
    raise AssertionError("the peer does not become ready")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,  # it reads no public key from another form
        serialization.NoEncryption(),
    )


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        rows = ours(Path(name))
    other: dict[str, float] = {}
    if peer := program("kube-apiserver-embedded"):
        with tempfile.TemporaryDirectory() as name:
            other = {what: much for what, much, _, _ in theirs(peer, Path(name))}
    for what, much, unit, more in rows:
        line = f"{what:55} {_number(much):>8} {unit:3}"
        if (their := other.get(what)) is not None:
            line += f" kube-apiserver {_number(their):>8} {unit:3}"
            if much and their:
                line += f"  {much / their if more else their / much:.2f} times as good"
        print(line.rstrip())
    return int(rows[-1][1] > 0)


def _number(much: float) -> str:
    return f"{much:,.2f}" if 0 < much < 10 else f"{much:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
