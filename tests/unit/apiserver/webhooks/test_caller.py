"""Asking webhooks over TLS: where a Service is, and servers that do what they should not."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.certificates import DAY, NOW, Authority
from tests.simulators.server import Exchange, Handler, Server, server_context
from tests.unit.apiserver.calling import Client, run

from sekisho.apiserver.webhooks import Refused, WebhookClient

CA = Authority()
NAME = "hook.default.svc"
PAIR = CA.issue(NAME, "localhost", addresses=("127.0.0.1",))
BUNDLE = base64.b64encode(CA.certificate.encode()).decode()
BODY = {"kind": "AdmissionReview"}

Objects = Sequence[tuple[str, Mapping[str, Any]]]

CORE = "/api/v1/namespaces/default"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


def echo(exchange: Exchange) -> None:
    exchange.answer_json({"path": exchange.asked.path, "sent": exchange.asked.json()})


def ask(folder: Path, client: Mapping[str, Any], objects: Objects = (), seconds: float = 10.0) -> Any:
    """What a webhook answers, or the text of why not."""

    async def work(call: Client) -> Any:
        for path, raw in objects:
            code, answer = await call("POST", path, raw)
            assert code == 201, answer
        caller = WebhookClient(call.api.store)
        try:
            return await caller.post(client, BODY, seconds=seconds)
        except Refused as refused:
            return refused
        finally:
            await caller.close()
            await gone()

    return run(folder, work)


async def gone() -> None:
    """Wait until connections are closed: TLS says goodbye first, also to those who hang."""
    transports = getattr(asyncio.get_running_loop(), "_transports", {})
    for _ in range(500):
        if all(transport.is_closing() for transport in [*transports.values()]):
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)


def refused(folder: Path, client: Mapping[str, Any], **more: Any) -> str:
    answer = ask(folder, client, **more)
    assert isinstance(answer, Refused), answer
    return answer.message


def by_url(server: Server) -> dict[str, Any]:
    return {"url": f"{server.url}check", "caBundle": BUNDLE}


def by_service(port: int | None = None, path: str = "/check") -> dict[str, Any]:
    return {
        "service": {"name": "hook", "namespace": "default", "port": port, "path": path},
        "caBundle": BUNDLE,
    }


def service(target: int = 0, **spec: Any) -> tuple[str, Mapping[str, Any]]:
    ports = [{"name": "https", "port": 443, "targetPort": target or 8443}]
    raw = {"metadata": {"name": "hook"}, "spec": {"clusterIP": "None", "ports": ports, **spec}}
    return f"{CORE}/services", {"apiVersion": "v1", "kind": "Service", **raw}


def endpoint_slice(port: int, *endpoints: Any, owner: str = "hook") -> tuple[str, Mapping[str, Any]]:
    return SLICES, {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"s-{port}", "labels": {"kubernetes.io/service-name": owner}},
        "addressType": "IPv4",
        "ports": [{"name": "https", "port": port}],
        "endpoints": list(endpoints),
    }


def endpoints(port: int) -> tuple[str, Mapping[str, Any]]:
    subset = {"addresses": [{"ip": "127.0.0.1"}], "ports": [{"name": "https", "port": port}]}
    raw = {"metadata": {"name": "hook"}, "subsets": [subset]}
    return f"{CORE}/endpoints", {"apiVersion": "v1", "kind": "Endpoints", **raw}


def secure(handler: Handler = echo) -> Server:
    return Server(handler, server_context(PAIR))


READY = {"addresses": ["127.0.0.1"], "conditions": {"ready": True}}
UNREADY = {"addresses": ["127.0.0.2"], "conditions": {"ready": False}}


def test_a_url(tmp_path: Path) -> None:
    with secure() as server:
        assert ask(tmp_path, by_url(server)) == {"path": "/check", "sent": BODY}
        assert server.asked[0].headers["content-type"] == "application/json"
        assert "authorization" not in server.asked[0].headers


def test_the_ready_endpoints_of_a_service(tmp_path: Path) -> None:
    with secure() as server:
        objects = [service(), endpoint_slice(server.port, UNREADY, READY)]
        assert ask(tmp_path, by_service(), objects)["path"] == "/check"


def test_endpoints_of_old(tmp_path: Path) -> None:
    with secure() as server:
        objects = [service(), endpoint_slice(1, READY, owner="other"), endpoints(server.port)]
        assert ask(tmp_path, by_service(path=""), objects)["path"] == "/"


def test_an_external_name(tmp_path: Path) -> None:
    with secure() as server:
        objects = [service(type="ExternalName", externalName="127.0.0.1", clusterIP=None)]
        assert ask(tmp_path, by_service(server.port), objects)["path"] == "/check"


def test_a_cluster_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback = ipaddress.IPv4Network("127.0.0.0/8")
    monkeypatch.setattr("sekisho.apiserver.services.pools.NETWORK", loopback)
    with secure() as server:
        ports = [{"port": server.port, "targetPort": 1}]
        objects = [service(clusterIP="127.0.0.1", ports=ports)]
        assert ask(tmp_path, by_service(server.port), objects)["path"] == "/check"


@pytest.mark.parametrize(
    ("objects", "port", "text"),
    [
        ([], None, 'service "hook" not found'),
        ([service()], 80, 'no service port 80 found for service "hook"'),
        ([service()], None, 'no endpoints available for service "hook"'),
        ([service(), endpoint_slice(1, UNREADY)], None, 'no endpoints available for service "hook"'),
    ],
)
def test_a_service_that_cannot_be_asked(
    tmp_path: Path, objects: Objects, port: int | None, text: str
) -> None:
    assert refused(tmp_path, by_service(port), objects=objects) == text


def test_a_service_has_the_name_of_a_service(tmp_path: Path) -> None:
    only_address = CA.issue("localhost", addresses=("127.0.0.1",))
    with Server(echo, server_context(only_address)) as server:
        objects = [service(), endpoint_slice(server.port, READY)]
        assert NAME in refused(tmp_path, by_service(), objects=objects)
        assert server.asked == []


@pytest.mark.parametrize(
    "pair",
    [
        Authority("another").issue("localhost", addresses=("127.0.0.1",)),
        CA.issue("localhost", addresses=("127.0.0.1",), begins=NOW - 2 * DAY, ends=NOW - DAY),
        CA.issue("elsewhere.example"),
    ],
    ids=["of another authority", "over", "for another name"],
)
def test_certificates_that_are_not_trusted(tmp_path: Path, pair: Any) -> None:
    with Server(echo, server_context(pair)) as server:
        assert "certificate" in refused(tmp_path, by_url(server))
        assert server.asked == []


@pytest.mark.parametrize("bundle", ["not base64!", base64.b64encode(b"\xff\xfe").decode()])
def test_a_bundle_that_is_none(tmp_path: Path, bundle: str) -> None:
    with secure() as server:
        text = refused(tmp_path, {**by_url(server), "caBundle": bundle})
        assert text == "the caBundle is not PEM in base64"


def test_without_tls(tmp_path: Path) -> None:
    with Server(echo) as server:
        client = {**by_url(server), "url": f"https://127.0.0.1:{server.port}/"}
        assert "TLS" in refused(tmp_path, client)


def test_one_that_hangs(tmp_path: Path) -> None:
    def hang(exchange: Exchange) -> None:
        exchange.connection.recv(1)
        exchange.connection.close()

    with secure(hang) as server:
        answer = ask(tmp_path, by_url(server), seconds=0.3)
    assert isinstance(answer, Refused)
    assert answer.timeout


def test_one_that_drips(tmp_path: Path) -> None:
    def drip(exchange: Exchange) -> None:
        exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(20):
            exchange.write(b" ")
            exchange.stopped.wait(0.05)
        exchange.connection.close()

    with secure(drip) as server:
        answer = ask(tmp_path, by_url(server), seconds=0.4)
    assert isinstance(answer, Refused)
    assert answer.timeout


def test_a_redirect_is_an_answer(tmp_path: Path) -> None:
    def away(exchange: Exchange) -> None:
        exchange.answer(b"{}", status="302 Found", headers={"Location": f"{exchange.asked.path}/other"})

    with secure(away) as server:
        assert refused(tmp_path, by_url(server)) == "the server answered with the status 302 Found"
        assert [asked.path for asked in server.asked] == ["/check"]


@pytest.mark.parametrize("status", ["201 Created", "403 Forbidden", "500 Internal Server Error"])
def test_another_status(tmp_path: Path, status: str) -> None:
    with secure(lambda exchange: exchange.answer_json(BODY, status=status)) as server:
        assert refused(tmp_path, by_url(server)) == f"the server answered with the status {status}"


@pytest.mark.parametrize(
    ("body", "text"), [(b"", "nothing"), (b"<html>", "JSON"), (b'{"a": 1', "JSON"), (b"\xff", "JSON")]
)
def test_what_is_no_json(tmp_path: Path, body: bytes, text: str) -> None:
    with secure(lambda exchange: exchange.answer(body)) as server:
        assert text in refused(tmp_path, by_url(server))


def test_too_much(tmp_path: Path) -> None:
    def flood(exchange: Exchange) -> None:
        exchange.answer(b"[" + b"1," * 2_000_000 + b"1]")

    with secure(flood) as server:
        assert "the answer of a webhook" in refused(tmp_path, by_url(server))


def test_one_that_breaks_off(tmp_path: Path) -> None:
    def half(exchange: Exchange) -> None:
        exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        exchange.connection.close()

    with secure(half) as server:
        assert refused(tmp_path, by_url(server))


def test_nobody_there(tmp_path: Path) -> None:
    with secure() as server:
        client = by_url(server)
    answer = ask(tmp_path, client, seconds=5)
    assert isinstance(answer, Refused)
    assert not answer.timeout
