"""``sekisho serve`` as processes: readiness, workers that die, new policies, the end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.simulators.serve import Serve, serve, until
from tests.unit.admission.reviews import TEMPLATE, body, constraint, pod

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "owner.yaml").write_text(yaml.safe_dump_all([TEMPLATE, constraint()]))
    return tmp_path / "policies"


@pytest.fixture
def running(policies: Path) -> Iterator[Serve]:
    with serve("--policies", str(policies)) as found:
        yield found


def message(running: Serve) -> str:
    code, value = running.ask(body(pod()))
    assert code == 200
    return str(value["response"]["status"]["message"])


def test_it_answers_probes_scrapes_and_webhooks(running: Serve) -> None:
    assert message(running) == "[owner] it needs an owner"
    assert running.get("health", "/healthz") == (200, "ok\n")
    assert running.get("health", "/readyz") == (200, "ok\n")
    name = 'gatekeeper_validation_request_count_total{admission_dryrun="false",admission_status="deny"}'
    until(lambda: f"{name} 1.0" in running.get("metrics", "/metrics")[1], 10)


def test_a_worker_that_dies_is_started_again(running: Serve) -> None:
    before = set(running.workers())
    os.kill(next(iter(before)), signal.SIGKILL)
    until(lambda: len(set(running.workers()) - before) == 1)
    until(lambda: running.get("health", "/readyz")[0] == 200)
    assert message(running) == "[owner] it needs an owner"
    assert "sekisho_worker_restarts" in running.get("metrics", "/metrics")[1]


def test_when_all_workers_die_it_is_not_ready_until_they_are_back(running: Serve) -> None:
    before = running.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: running.get("health", "/readyz")[0] == 503, 5)
    assert running.get("health", "/healthz")[0] == 200
    until(lambda: running.get("health", "/readyz")[0] == 200)
    assert message(running) == "[owner] it needs an owner"
    assert not set(before) & set(running.workers())


def test_it_reads_its_policies_again(running: Serve, policies: Path) -> None:
    rows = [TEMPLATE, constraint(name="renamed")]
    (policies / "owner.yaml").write_text(yaml.safe_dump_all(rows))
    running.process.send_signal(signal.SIGHUP)
    until(lambda: message(running) == "[renamed] it needs an owner", 10)


def test_policies_that_are_broken_leave_the_last_good_ones(running: Serve, policies: Path) -> None:
    (policies / "owner.yaml").write_text("a: [")
    running.process.send_signal(signal.SIGHUP)
    until(lambda: running.get("health", "/healthz")[0] == 200, 10)
    assert message(running) == "[owner] it needs an owner"


def test_requests_under_way_end_before_it_does(running: Serve) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", running.ports["port"], timeout=30)
    content = body(pod())
    connection.request("POST", "/v1/admit?timeout=10s", content)  # so that a worker has the connection
    assert connection.getresponse().read()
    connection.putrequest("POST", "/v1/admit?timeout=10s")
    connection.putheader("Content-Length", str(len(content)))
    connection.endheaders()
    connection.send(content[:100])
    running.process.send_signal(signal.SIGTERM)
    until(lambda: not _listens(running), 10)
    connection.send(content[100:])
    assert connection.getresponse().status == 200
    connection.close()
    assert running.process.wait(30) == 0


def _listens(running: Serve) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", running.ports["port"]), timeout=1).close()
    except OSError:
        return False
    return True


def test_workers_end_with_their_controller(policies: Path) -> None:
    with serve("--policies", str(policies)) as running:
        workers = running.workers()
        running.process.kill()
        running.process.wait()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 20)
