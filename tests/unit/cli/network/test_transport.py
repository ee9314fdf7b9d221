"""``http.send`` of opa's verbs, with a server on the loopback; what is sent is what opa 1.19 sends."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.server import Exchange, Server, server_context
from tests.unit.policy.external.made import CA, PAIR, serving

from sekisho.cli.main import run


def mirror(exchange: Exchange) -> None:
    """Answer with what was asked."""
    asked = exchange.asked
    if asked.path == "/moved":
        exchange.answer(b"", status="302 Found", headers={"Location": "/there"})
        return
    exchange.answer_json({"method": asked.method, "path": asked.path, "body": asked.body.decode()})


def send(capsys: pytest.CaptureFixture[str], request: dict[str, Any], *more: str) -> Any:
    """The value of a call, or the code of the error."""
    query = f"http.send({json.dumps(request)})"
    run(["rego", "eval", "--strict-builtin-errors", *(more or ("--allow-network", "127.0.0.1")), query])
    result = json.loads(capsys.readouterr().out)
    return result["errors"][0] if "errors" in result else result["result"][0]["expressions"][0]["value"]


def test_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    with Server(mirror) as server:
        answer = send(
            capsys,
            {
                "method": "post",
                "url": f"{server.url}x?y=1",
                "headers": {"X-A": "b"},
                "body": {"b": 1, "a": "<é>"},
            },
        )
        asked = server.asked[0]
    assert (answer["status"], answer["status_code"]) == ("200 OK", 200)
    assert answer["headers"]["content-type"] == ["application/json"]
    assert answer["body"] == {
        "method": "POST",
        "path": "/x?y=1",
        "body": '{"a":"\\u003cé\\u003e","b":1}',
    }
    assert json.loads(answer["raw_body"]) == answer["body"]
    assert asked.headers["x-a"] == "b"
    assert "content-type" not in asked.headers


def test_a_raw_body_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    with Server(mirror) as server:
        answer = send(capsys, {"method": "put", "url": server.url, "raw_body": "raw", "body": 1})
    assert answer["body"]["body"] == "raw"


@pytest.mark.parametrize(("follow", "status"), [(False, 302), (True, 200)])
def test_redirects(capsys: pytest.CaptureFixture[str], follow: bool, status: int) -> None:
    with Server(mirror) as server:
        url = f"{server.url}moved"
        answer = send(capsys, {"method": "get", "url": url, "enable_redirect": follow})
    assert answer["status_code"] == (200 if follow else 302)


@pytest.mark.parametrize("how", ["inline", "file", "variable"])
def test_certificate_authorities(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    (tmp_path / "ca.crt").write_text(CA.certificate)
    monkeypatch.setenv("TEST_CA", CA.certificate)
    given = {
        "inline": {"tls_ca_cert": CA.certificate.replace("\n", "\\n")},
        "file": {"tls_ca_cert_file": str(tmp_path / "ca.crt")},
        "variable": {"tls_ca_cert_env_variable": "TEST_CA"},
    }
    with serving(mirror) as server:
        request = {"method": "get", "url": server.url}
        assert send(capsys, request | given[how])["status_code"] == 200
        assert "is not trusted" in send(capsys, request)["message"]


def test_client_certificates(capsys: pytest.CaptureFixture[str]) -> None:
    pair = CA.issue(client=True)
    with Server(mirror, server_context(PAIR, client_ca=CA.certificate)) as server:
        request = {"method": "get", "url": server.url, "tls_ca_cert": CA.certificate}
        identity = {"tls_client_cert": pair.certificate, "tls_client_key": pair.key}
        assert send(capsys, request | identity)["status_code"] == 200
        assert "message" in send(capsys, request)


def test_the_name_of_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    with Server(mirror, server_context(CA.issue("inside.example"))) as server:
        request = {"method": "get", "url": server.url, "tls_ca_cert": CA.certificate}
        for more in ({"tls_server_name": "inside.example"}, {"headers": {"Host": "inside.example"}}):
            assert send(capsys, request | more)["status_code"] == 200


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tls_insecure_skip_verify": True}, "certificates are always verified"),
        ({"tls_ca_cert_file": "/nowhere/ca.crt"}, "open /nowhere/ca.crt: no such file or directory"),
        ({"tls_ca_cert": "x"}, "the CA bundle has no certificate that can be used"),
        ({"url": "https://[/"}, "cannot be asked"),
    ],
)
def test_what_is_refused(capsys: pytest.CaptureFixture[str], more: dict[str, Any], said: str) -> None:
    error = send(capsys, {"method": "get", "url": "https://127.0.0.1:1/"} | more)
    assert error["code"] == "eval_builtin_error"
    assert said in error["message"]


def test_a_host_that_is_not_allowed_ends_the_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    request = {"method": "get", "url": "https://localhost:1/", "raise_error": False}
    assert send(capsys, request)["code"] == "CLU011"


def test_without_the_option_it_is_off(capsys: pytest.CaptureFixture[str]) -> None:
    request = {"method": "get", "url": "https://127.0.0.1:1/"}
    assert "http.send is off" in send(capsys, request, "--timeout", "10s")["message"]


def test_errors_as_values(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    answer = send(capsys, {"method": "get", "url": url, "raise_error": False})
    assert answer["status_code"] == 0
    assert answer["error"]["code"] == "eval_http_send_network_error"


def test_it_is_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    turns: list[int] = []

    def second(exchange: Exchange) -> None:
        turns.append(1)
        if len(turns) < 3:
            exchange.connection.shutdown(socket.SHUT_RDWR)
        else:
            mirror(exchange)

    with Server(second) as server:
        request = {"method": "post", "url": server.url, "max_retry_attempts": 2}
        assert send(capsys, request)["status_code"] == 200
    assert len(turns) == 3


def test_names_are_resolved(capsys: pytest.CaptureFixture[str]) -> None:
    def look(query: str) -> Any:
        run(["rego", "eval", "--allow-network", "localhost", "--strict-builtin-errors", query])
        return json.loads(capsys.readouterr().out)

    found = look('net.lookup_ip_addr("localhost")')
    assert "127.0.0.1" in found["result"][0]["expressions"][0]["value"]
    assert look('net.lookup_ip_addr("other.example")')["errors"][0]["code"] == "CLU011"


def test_tests_may_use_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with Server(mirror) as server:
        (tmp_path / "a_test.rego").write_text(
            "package a\n\n"
            f'test_it if http.send({{"method": "get", "url": "{server.url}"}}).status_code == 200\n'
        )
        assert run(["rego", "test", str(tmp_path)]) != 0
        assert run(["rego", "test", "--allow-network", "127.0.0.1", str(tmp_path)]) == 0
