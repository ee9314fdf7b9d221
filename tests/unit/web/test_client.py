"""The client against servers that do what they should not."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.simulators.certificates import DAY, NOW, Authority
from tests.simulators.server import Exchange, Handler, Server, server_context

from sekisho.diag import Deadline, Limit, Secret
from sekisho.web import Client, Identity, Redirects, Request, Tls, Trust, WebError

SOON = 10.0
"""Seconds, far more than anything here takes, and far less than the servers that hang would hold it up."""

SMALL = Limit("an answer", 100_000, "bytes", "this is a test")

CA = Authority()
PAIR = CA.server()
TRUST = Trust(ca=CA.certificate, minimum=Tls.V13)


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as made:
        yield made


def ok(exchange: Exchange) -> None:
    exchange.answer_json({"path": exchange.asked.path})


def secure(handler: Handler = ok) -> Server:
    return Server(handler, server_context(PAIR))


def asking(url: str, **more: object) -> Request:
    fields: dict[str, object] = {"url": url, "trust": TRUST, "seconds": 5.0, "limit": SMALL, **more}
    return Request(**fields)  # type: ignore[arg-type]


def refused(client: Client, request: Request) -> tuple[str, str]:
    with pytest.raises(WebError) as caught:
        client.send(request)
    return caught.value.code.id, caught.value.message


def test_an_answer(client: Client) -> None:
    with secure(lambda exchange: exchange.answer(exchange.asked.body, headers={"X-A": "1"})) as server:
        response = client.send(
            asking(server.url, method="POST", body=b'{"n": 9007199254740993}', headers={"X-B": "2"})
        )
    assert (response.status, response.reason, response.headers["x-a"]) == (200, "OK", ("1",))
    assert response.json() == {"n": 9007199254740993}
    asked = server.asked[0]
    assert (asked.method, asked.headers["x-b"], asked.headers["accept-encoding"]) == ("POST", "2", "identity")
    assert asked.headers["user-agent"].startswith("sekisho/")


def test_names_are_verified_by_subject_alternative_name(client: Client) -> None:
    with secure() as server:
        assert client.send(asking(f"https://localhost:{server.port}/")).status == 200


def test_connections_are_kept(client: Client) -> None:
    with secure() as server:
        for _ in range(3):
            client.send(asking(server.url))
    assert server.connections == 1


def test_several_threads_and_requests_at_once(client: Client) -> None:
    together = threading.Barrier(5)

    def waits_for_the_others(exchange: Exchange) -> None:
        together.wait(10)
        ok(exchange)

    with secure(waits_for_the_others) as server:
        answers = client.send_all([asking(f"{server.url}{number}") for number in range(5)])
    assert [answer.json()["path"] for answer in answers if not isinstance(answer, WebError)] == [
        f"/{number}" for number in range(5)
    ]


# --- time -------------------------------------------------------------------------------------------------


def hang(exchange: Exchange) -> None:
    exchange.stopped.wait(60)


def trickle(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not exchange.stopped.wait(0.05):
        exchange.write(b" ")


def trickle_headers(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\n")
    while not exchange.stopped.wait(0.05):
        exchange.write(b"X")


@pytest.mark.parametrize("handler", [hang, trickle, trickle_headers])
def test_a_server_that_takes_its_time(client: Client, handler: Handler) -> None:
    with secure(handler) as server:
        start = time.monotonic()
        code, message = refused(client, asking(server.url, seconds=0.4))
        took = time.monotonic() - start
    assert (code, message) == ("CLU002", f"{server.url} did not answer within 0.4 s")
    assert took < SOON


def test_the_callers_deadline_holds(client: Client) -> None:
    with secure(hang) as server, pytest.raises(WebError) as caught:
        client.send(asking(server.url), deadline=Deadline.after(0.3))
    assert caught.value.message.endswith("did not answer before the deadline")
    with pytest.raises(WebError) as caught:
        client.send(asking(server.url), deadline=Deadline.after(-1))
    assert caught.value.code.id == "CLU002"


def test_a_server_that_accepts_and_never_shakes_hands(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code, _ = refused(client, asking(f"https://127.0.0.1:{listener.getsockname()[1]}/", seconds=0.4))
    assert code == "CLU002"


def test_a_resolver_that_hangs(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    start = time.monotonic()
    assert refused(client, asking("https://nowhere.example/", seconds=0.3))[0] == "CLU002"
    assert time.monotonic() - start < SOON
    over.set()


# --- size and form ----------------------------------------------------------------------------------------


def endless(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not exchange.stopped.is_set():
        exchange.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")


def claims_a_gigabyte(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while not exchange.stopped.is_set():
        exchange.write(b" " * 65_536)


def without_end(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while not exchange.stopped.is_set():
        exchange.write(b" " * 65_536)


@pytest.mark.parametrize("handler", [endless, claims_a_gigabyte, without_end])
def test_an_answer_that_is_too_large(client: Client, handler: Handler) -> None:
    with secure(handler) as server:
        code, message = refused(client, asking(server.url))
    assert code == "CLU005"
    assert (
        message
        == f"the answer of {server.url} is refused: an answer is limited to 100,000 bytes (this is a test)"
    )


def many_headers(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\n")
    while not exchange.stopped.is_set():
        exchange.write(b"X: y\r\n" * 1000)


def long_header(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not exchange.stopped.is_set():
        exchange.write(b"y" * 65_536)


@pytest.mark.parametrize(
    "handler",
    [
        many_headers,
        long_header,
        lambda exchange: exchange.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        lambda exchange: exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        lambda exchange: exchange.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"
        ),
        lambda exchange: exchange.answer(b"x", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["many headers", "long header", "ssh", "bad length", "bad chunk", "compressed"],
)  # fmt: skip
def test_what_is_not_sound_http(client: Client, handler: Handler) -> None:
    with secure(handler) as server:
        assert refused(client, asking(server.url))[0] == "CLU007"


def cut(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    exchange.connection.shutdown(socket.SHUT_RDWR)


def nothing(exchange: Exchange) -> None:
    exchange.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("handler", [cut, nothing])
def test_a_connection_that_breaks_off(client: Client, handler: Handler) -> None:
    with secure(handler) as server:
        assert refused(client, asking(server.url))[0] == "CLU007"


def test_what_may_be_repeated_is_sent_again_where_a_kept_connection_is_gone(client: Client) -> None:
    turns: list[int] = []

    def closes_after_each(exchange: Exchange) -> None:
        turns.append(1)
        if len(turns) == 2:
            exchange.connection.shutdown(socket.SHUT_RDWR)
        else:
            ok(exchange)

    with secure(closes_after_each) as server:
        for _ in range(2):
            assert client.send(asking(server.url, method="POST", repeatable=True)).status == 200
        turns[:] = [1]
        assert refused(client, asking(server.url, method="POST"))[0] == "CLU007"


# --- JSON -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is nothing"),
        (b"<html>", "is not JSON: "),
        (b'{"a": NaN}', "is not JSON: "),
        (b'"\xff"', "is not JSON: "),
        (b"[" * 300 + b"]" * 300, "is refused: JSON of an answer is limited to 200 levels"),
        (b"[" * 40_000, "is not JSON: "),
    ],
)
def test_bodies_that_are_no_json(client: Client, body: bytes, said: str) -> None:
    with secure(lambda exchange: exchange.answer(body)) as server:
        response = client.send(asking(server.url))
    with pytest.raises(WebError) as caught:
        response.json()
    assert caught.value.code.id == "CLU010"
    assert f"the answer of {server.url} {said}" in caught.value.message


# --- TLS --------------------------------------------------------------------------------------------------


def test_a_certificate_of_another_authority(client: Client) -> None:
    with Server(ok, server_context(Authority("another CA").server())) as server:
        code, message = refused(client, asking(server.url))
    assert code == "CLU003"
    assert message == (
        f"the certificate of {server.url} is not trusted: unable to get local issuer certificate"
    )


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (CA.issue(addresses=("127.0.0.1",), begins=NOW - 3 * DAY, ends=NOW - DAY), "certificate has expired"),
        (CA.issue(addresses=("127.0.0.1",), begins=NOW + DAY, ends=NOW + 2 * DAY), "certificate is not yet valid"),
        (CA.issue("elsewhere.example"), "IP address mismatch"),
        (CA.issue(), "IP address mismatch"),
        (CA.issue(addresses=("127.0.0.1",), client=True), "unsuitable certificate purpose"),
    ],
)  # fmt: skip
def test_certificates_that_are_not_trusted(client: Client, pair: object, said: str) -> None:
    with Server(ok, server_context(pair)) as server:  # type: ignore[arg-type]
        code, message = refused(client, asking(server.url))
    assert code == "CLU003"
    assert said in message


def test_a_common_name_is_no_name(client: Client) -> None:
    with Server(ok, server_context(CA.issue())) as server:
        assert refused(client, asking(f"https://localhost:{server.port}/"))[0] == "CLU003"


def test_an_authority_that_is_no_root_may_be_trusted(client: Client) -> None:
    pair = CA.server()
    with Server(ok, server_context(pair)) as server:
        trust = Trust(ca=f"what this is\n{pair.certificate}")
        assert client.send(asking(server.url, trust=trust)).status == 200


def test_an_older_tls(client: Client) -> None:
    context = server_context(PAIR, newest=ssl.TLSVersion.TLSv1_2)
    with Server(ok, context) as server:
        code, message = refused(client, asking(server.url))
        assert client.send(asking(server.url, trust=Trust(ca=CA.certificate))).status == 200
    assert code == "CLU004"
    assert message.endswith("it does not speak a version of TLS that is new enough")


def test_plain_http_where_tls_should_be(client: Client) -> None:
    with Server(ok) as server:
        code, message = refused(client, asking(server.url.replace("http:", "https:")))
    assert code == "CLU004"
    assert message.endswith("it does not speak TLS")


def test_client_certificates(client: Client) -> None:
    mine, others = CA.issue(client=True), Authority("another CA").issue(client=True)
    with Server(ok, server_context(PAIR, client_ca=CA.certificate)) as server:
        codes = {}
        for name, pair in (("none", None), ("mine", mine), ("other", others)):
            identity = Identity(chain=pair.certificate, key=Secret(pair.key)) if pair else None
            trust = Trust(ca=CA.certificate, minimum=Tls.V13, identity=identity)
            with suppress(WebError):
                codes[name] = client.send(asking(server.url, trust=trust)).status
        assert codes == {"mine": 200}
        code, _ = refused(client, asking(server.url))
    # In TLS 1.3 the server says so after the handshake, and the alert may be overtaken by the end.
    assert code in ("CLU004", "CLU007")


@pytest.mark.parametrize(
    "trust",
    [
        Trust(ca="nonsense"),
        Trust(ca="-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"),
        Trust(ca="-----BEGIN CERTIFICATE-----\na\n-----END CERTIFICATE-----\n"),
        Trust(ca="x" * 3_000_000),
        Trust(identity=Identity(chain=PAIR.certificate, key=Secret("x"))),
        Trust(identity=Identity(chain=PAIR.certificate, key=Secret(CA.server().key))),
    ],
)
def test_certificates_that_cannot_be_used(client: Client, trust: Trust) -> None:
    code, message = refused(client, asking("https://127.0.0.1:1/", trust=trust))
    assert code == "CLU009"
    assert "PRIVATE" not in message


# --- where to ---------------------------------------------------------------------------------------------


def test_nobody_there(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code, message = refused(client, asking(f"https://user:pass@127.0.0.1:{port}/a?token=1#b"))
    assert code == "CLU001"
    assert message == f"https://127.0.0.1:{port}/a cannot be reached: the connection is refused"


def test_a_name_that_is_not_known(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    code, message = refused(client, asking("https://nowhere.example/"))
    assert (code, message) == ("CLU001", "https://nowhere.example/ cannot be reached: its name is not known")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https:///a",
        "https://[::1/",
        "https://a:99999/",
        "ftp://a/",
        "",
        "https://a b/",
        "https://\x00/",
        "https://" + "a" * 70 + ".example/",
    ],
)
def test_urls_that_cannot_be_asked(client: Client, url: str) -> None:
    assert refused(client, asking(url))[0] in ("CLU008", "CLU001")


def test_no_proxy_of_the_environment(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with secure() as server:
        assert client.send(asking(server.url)).status == 200


def leading(status: str, target: str) -> Handler:
    def handler(exchange: Exchange) -> None:
        if exchange.asked.path == "/":
            exchange.answer(b"", status=status, headers={"Location": target})
        else:
            ok(exchange)

    return handler


@pytest.mark.parametrize(("status", "method"), [("302 Found", "GET"), ("307 Temporary Redirect", "POST")])
def test_redirects_on_the_same_host_are_followed(client: Client, status: str, method: str) -> None:
    with secure(leading(status, "/there")) as server:
        request = asking(server.url, method="POST", body=b"x", redirects=Redirects.SAME_ORIGIN)
        assert client.send(request).json() == {"path": "/there"}
        assert client.send(asking(server.url)).status == int(status[:3])
    asked = server.asked[1]
    assert (asked.method, asked.body) == (method, b"x" if method == "POST" else b"")


def test_redirects_elsewhere(client: Client) -> None:
    with secure() as other, secure(leading("308 Permanent Redirect", f"{other.url}there")) as server:
        code, message = refused(client, asking(server.url, redirects=Redirects.SAME_ORIGIN))
        request = asking(server.url, redirects=Redirects.ANYWHERE, headers={"Authorization": "x", "X-A": "1"})
        assert client.send(request).json() == {"path": "/there"}
        with Client(allowed=frozenset({f"127.0.0.1:{server.port}"})) as narrow:
            assert refused(narrow, request)[0] == "CLU011"
    assert code == "CLU006"
    assert message == f"{server.url} leads to {other.url}there, which is not followed"
    assert "authorization" in server.asked[-2].headers
    assert "authorization" not in other.asked[0].headers
    assert other.asked[0].headers["x-a"] == "1"


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/", "file:///etc/passwd", "https://[/"])
def test_redirects_to_what_is_not_asked(client: Client, target: str) -> None:
    with secure(leading("302 Found", target)) as server:
        assert refused(client, asking(server.url, redirects=Redirects.ANYWHERE))[0] in ("CLU006", "CLU008")


def test_redirects_in_a_circle(client: Client) -> None:
    def circle(exchange: Exchange) -> None:
        exchange.answer(b"", status="302 Found", headers={"Location": "/"})

    with secure(circle) as server:
        code, _ = refused(client, asking(server.url, redirects=Redirects.SAME_ORIGIN))
    assert code == "CLU006"
    assert len(server.asked) == 6


def test_only_hosts_that_are_allowed() -> None:
    with secure() as server, Client(allowed=frozenset({"127.0.0.1"})) as narrow:
        assert narrow.send(asking(server.url)).status == 200
        code, message = refused(narrow, asking(f"https://localhost:{server.port}/"))
        assert narrow.resolve("127.0.0.1", seconds=5) == ["127.0.0.1"]
    assert code == "CLU011"
    assert message.endswith(f"localhost:{server.port} is not allowed")


# --- life -------------------------------------------------------------------------------------------------


def test_a_forked_process_starts_anew(client: Client) -> None:
    with secure() as server:
        assert client.send(asking(server.url)).status == 200
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = int(client.send(asking(server.url)).status != 200)
            finally:
                os._exit(status)
        assert os.waitpid(pid, 0)[1] == 0
        assert client.send(asking(server.url)).status == 200


def test_a_closed_client_can_be_used_again() -> None:
    client = Client()
    with secure() as server:
        for _ in range(2):
            assert client.send(asking(server.url)).status == 200
            client.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "sekisho-web"]
