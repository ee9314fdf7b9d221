"""The webhook under load: ``python -m bench.admission [SECONDS]``; needs Go for the loader and the peer.

The whole policy library is loaded, and its samples are what is asked about, over TLS connections that are
kept. Ours are two processes; the peer (``webhook_peer``) is a webhook made of Gatekeeper's framework, target
and controller-runtime, with as many threads as there are CPUs. One server runs at a time, beside the loader
(``webhook_load``). CPU is that of the servers alone: what one review costs, whatever else the machine does.
Ours reviews more: what a workload brings about, too.

Rows: as fast as each answers (8 connections); both at the same rates, shares of what the peer can do; ours
above what it can do, by as many requests at once as an API server has (200), where every one must still be
answered within its deadline.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml
from bench.library import LIBRARY, collect
from bench.peers import normal

HERE = Path(__file__).parent
GATEKEEPER = "v3.23.1"
MODULE = f"""module sekisho.dev/bench/peer

go 1.26.0

require github.com/open-policy-agent/gatekeeper/v3 {GATEKEEPER}
"""
PEER_PORT = 18453
TIMEOUT = 3.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A running server: its address, and the processes that answer."""

    url: str
    pids: tuple[int, ...]

    def cpu(self) -> float:
        """Seconds of processor that they have had."""
        total = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS


@dataclass(frozen=True)
class Tools:
    """What was built and made for a run."""

    load: Path
    peer: Path | None
    library: Path
    certificates: Path
    bodies: Path


def build(folder: Path, source: str, *, module: bool) -> Path | None:
    """A program of Go; None where it cannot be built."""
    into = folder / source
    shutil.copytree(HERE / source, into)
    arguments = ["go", "build", "-o", str(folder / f"{source}.bin")]
    if module:
        (into / "go.mod").write_text(MODULE, encoding="utf-8")
    else:
        arguments.append("main.go")
    environment = {**os.environ, "GOFLAGS": "-mod=mod"} if module else dict(os.environ)
    run = subprocess.run(arguments, cwd=into, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        print(f"{source} cannot be built: {run.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    return folder / f"{source}.bin"


def prepare(folder: Path) -> Tools | None:
    """Build programs, gather the library, make a certificate."""
    from sekisho.web.authority import Authority

    if shutil.which("go") is None:
        print("go is not installed: nothing can be loaded", file=sys.stderr)
        return None
    load = build(folder, "webhook_load", module=False)
    if load is None:
        return None
    identity = Authority.make("bench").issue_server(["localhost", "127.0.0.1"])
    certificates = folder / "certificates"
    certificates.mkdir()
    (certificates / "tls.crt").write_text(identity.chain, encoding="utf-8")
    (certificates / "tls.key").write_text(identity.key.reveal(), encoding="utf-8")
    collect(LIBRARY, folder / "library")
    bodies = folder / "bodies"
    bodies.write_bytes(b"\n".join(reviews(folder / "library" / "objects")))
    return Tools(
        load=load,
        peer=build(folder, "webhook_peer", module=True),
        library=folder / "library",
        certificates=certificates,
        bodies=bodies,
    )


def reviews(objects: Path) -> Iterator[bytes]:
    """An AdmissionReview for the CREATE of each sample."""
    for number, file in enumerate(sorted(objects.glob("*.yaml"))):
        for value in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            group, _, version = value["apiVersion"].rpartition("/")
            kind = {"group": group, "version": version, "kind": value["kind"]}
            request: dict[str, Any] = {
                "uid": f"bench-{number}",
                "kind": kind,
                "resource": {"group": group, "version": version, "resource": f"{value['kind'].lower()}s"},
                "name": value["metadata"].get("name", ""),
                "namespace": value["metadata"].get("namespace", ""),
                "operation": "CREATE",
                "userInfo": {"username": "bench"},
                "object": value,
            }
            yield orjson.dumps(
                {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request},
                default=str,
            )


@contextmanager
def ours(tools: Tools) -> Iterator[Server]:
    """``sekisho serve`` with two workers."""
    arguments = ["--host", "127.0.0.1", "--port", "0", "--health-port", "0", "--prometheus-port", "0"]
    folders = [str(tools.library / name) for name in ("templates", "constraints")]
    policies = [word for folder in folders for word in ("-p", folder)]
    command = [sys.executable, "-m", "sekisho", "serve", *arguments, *policies]
    command += ["--cert-dir", str(tools.certificates), "--workers", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=normal()
    ) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["serving"]["port"]
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
        try:
            yield Server(
                url=f"https://127.0.0.1:{port}/v1/admit", pids=tuple(int(pid) for pid in children.split())
            )
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def peer(tools: Tools) -> Iterator[Server]:
    """The webhook of Gatekeeper's framework."""
    assert tools.peer is not None
    command = [
        str(tools.peer),
        str(tools.library),
        str(PEER_PORT),
        *(str(tools.certificates / name) for name in ("tls.crt", "tls.key")),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.5)
        try:
            yield Server(url=f"https://127.0.0.1:{PEER_PORT}/v1/admit", pids=(process.pid,))
        finally:
            process.kill()


def measure(
    tools: Tools, server: Server, *, connections: int, rate: float, seconds: float
) -> dict[str, float]:
    """One load, with the processor time that it cost."""
    before = server.cpu()
    arguments = (server.url, tools.bodies, connections, rate, seconds, TIMEOUT)
    run = subprocess.run([str(tools.load), *map(str, arguments)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(run.stdout)
    judged = max(found["judged"], 1)
    return {
        **found,
        "per_second": found["judged"] / found["seconds"],
        "cpu_ms": 1000 * (server.cpu() - before) / judged,
    }


def line(name: str, found: dict[str, float]) -> str:
    return (
        f"{name:34}{found['per_second']:9.1f}{found['cpu_ms']:9.2f}{found['median_ms']:9.1f}"
        f"{found['p99_ms']:9.1f}{found['longest_ms']:9.0f}{found['answered']:9.0f}{found['judged']:8.0f}"
        f"{found['late']:6.0f}{found['failed']:7.0f}"
    )


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as name:
        tools = prepare(Path(name))
        if tools is None:
            return 1
        print(
            "155 constraints of 60 templates, samples of the library\n"
            f"{'':34}{'judged/s':>9}{'cpu ms':>9}{'median':>9}{'p99 ms':>9}{'longest':>9}{'answered':>9}"
            f"{'judged':>8}{'late':>6}{'failed':>7}"
        )
        theirs: dict[str, dict[str, float]] = {}
        rates: tuple[float, ...] = (10.0, 20.0)
        if tools.peer is not None:
            with peer(tools) as server:
                measure(tools, server, connections=8, rate=0, seconds=seconds / 3)  # to warm up
                theirs["most"] = measure(tools, server, connections=8, rate=0, seconds=seconds)
                print(line("gatekeeper, as fast as it answers", theirs["most"]), flush=True)
                rates = tuple(round(theirs["most"]["per_second"] * share, 1) for share in (0.3, 0.6, 0.9))
                for rate in rates:
                    theirs[f"{rate}"] = measure(tools, server, connections=64, rate=rate, seconds=seconds)
                    print(line(f"gatekeeper, {rate} a second", theirs[f"{rate}"]), flush=True)
        with ours(tools) as server:
            measure(tools, server, connections=8, rate=0, seconds=seconds / 3)
            most = measure(tools, server, connections=8, rate=0, seconds=seconds)
            print(line("sekisho, as fast as it answers", most), flush=True)
            for rate in rates:
                found = measure(tools, server, connections=64, rate=rate, seconds=seconds)
                print(line(f"sekisho, {rate} a second", found), flush=True)
                if f"{rate}" in theirs:
                    print(f"  p99 of gatekeeper's: {found['p99_ms'] / theirs[f'{rate}']['p99_ms']:.2f}")
            for times, connections in ((1.5, 200), (4.0, 200)):
                rate = round(most["per_second"] * times, 1)
                found = measure(tools, server, connections=connections, rate=rate, seconds=seconds)
                print(line(f"sekisho, {times:g} times its most", found), flush=True)
        if theirs:
            faster = most["per_second"] / theirs["most"]["per_second"]
            cheaper = theirs["most"]["cpu_ms"] / most["cpu_ms"]
            print(f"reviews a second: {faster:.1f} times gatekeeper's; for the same CPU: {cheaper:.1f} times")
    return 0


if __name__ == "__main__":
    sys.exit(main())
