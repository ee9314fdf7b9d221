"""Providers over HTTPS that do what they should, and all that they should not."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.simulators.certificates import DAY, NOW, Authority
from tests.simulators.server import Exchange, Handler, Server, server_context
from tests.unit.policy.external.made import CA, PAIR, V1BETA1, echo, provider, response, serving

from sekisho.diag import Deadline, Secret
from sekisho.policy.external import Answers, Outcome, State
from sekisho.policy.external import cache as answer_cache
from sekisho.policy.external.cache import AnswerCache
from sekisho.policy.external.https import HttpsProviders
from sekisho.policy.external.provider import load_provider
from sekisho.web import Client, Identity

SOON = 10.0
"""Seconds, far more than anything here takes, and far less than the servers that hang would hold it up."""


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as made:
        yield made


def asking(client: Client, server: Server, **more: Any) -> HttpsProviders:
    """The provider ``p`` at a server; fields of it and of the asker."""
    fields = {name: more.pop(name) for name in ("cache", "identity", "clock", "help") if name in more}
    return HttpsProviders({"p": load_provider(provider(server.url, **more))}, client, **fields)


def ask(providers: HttpsProviders, *keys: str, deadline: Deadline | None = None) -> Answers:
    return providers.ask({"p": keys or ("a",)}, deadline)


def test_an_answer(client: Client) -> None:
    with serving(echo) as server:
        answers = ask(asking(client, server), "a", "bad", "a")
    assert answers == Answers(outcomes={"p": {"a": Outcome(value="A"), "bad": Outcome(error="it is bad")}})
    (asked,) = server.asked
    assert asked.method == "POST"
    assert asked.headers["content-type"] == "application/json"
    assert asked.json() == {
        "apiVersion": V1BETA1,
        "kind": "ProviderRequest",
        "request": {"keys": ["a", "bad"]},
    }


@pytest.mark.parametrize(
    "value", [None, True, 7, 9007199254740993, 1.5, "x", ["a", {"b": None}], {"c": {"d": []}}]
)
def test_values_of_any_type(client: Client, value: Any) -> None:
    with serving(lambda exchange: exchange.answer_json(response({"key": "a", "value": value}))) as server:
        assert ask(asking(client, server)).outcomes["p"]["a"].value == value


def test_numbers_without_a_fraction_are_integers_as_go_writes_them(client: Client) -> None:
    with serving(
        lambda exchange: exchange.answer_json(response({"key": "a", "value": [1.0, 1e3]}))
    ) as server:
        value = ask(asking(client, server)).outcomes["p"]["a"].value
    assert (value, [type(item) for item in value]) == ([1, 1000], [int, int])


def test_names_in_another_case_are_read(client: Client) -> None:
    body = {
        "APIVersion": V1BETA1,
        "Kind": "ProviderResponse",
        "Response": {"Items": [{"Key": "a", "Value": 1}]},
    }
    with serving(lambda exchange: exchange.answer_json(body)) as server:
        assert ask(asking(client, server)).outcomes["p"]["a"] == Outcome(value=1, idempotent=False)


def test_several_providers_are_asked_at_the_same_time(client: Client) -> None:
    together = threading.Barrier(3)

    def waits_for_the_others(exchange: Exchange) -> None:
        together.wait(10)
        echo(exchange)

    with serving(waits_for_the_others) as server:
        known = {name: load_provider(provider(server.url, name)) for name in ("p", "q", "r")}
        answers = HttpsProviders(known, client).ask(dict.fromkeys(known, ("a",)))
    assert all(row["a"] == Outcome(value="A") for row in answers.outcomes.values())


# --- what they should not do ------------------------------------------------------------------------------


def body(value: bytes, **more: Any) -> Handler:
    return lambda exchange: exchange.answer(value, **more)


def sent(value: Any, **more: Any) -> Handler:
    return lambda exchange: exchange.answer_json(value, **more)


def hang(exchange: Exchange) -> None:
    exchange.stopped.wait(60)


def trickle(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not exchange.stopped.wait(0.05):
        exchange.write(b" ")


def gigabyte(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while not exchange.stopped.is_set():
        exchange.write(b" " * 65_536)


def elsewhere(exchange: Exchange) -> None:
    exchange.answer(b"", status="307 Temporary Redirect", headers={"Location": "https://127.0.0.1:1/"})


A = {"key": "a", "value": "x"}
DEEP: Any = "x"
for _ in range(150):
    DEEP = [DEEP]

UNUSABLE: dict[str, tuple[Handler, str, str]] = {
    "hangs": (hang, "POL123", "CLU002"),
    "trickles": (trickle, "POL123", "CLU002"),
    "a gigabyte": (gigabyte, "POL123", "CLU005"),
    "redirects": (elsewhere, "POL123", "CLU006"),
    "deep": (sent(response({"key": "a", "value": DEEP})), "POL123", "CLU010"),
    "not JSON": (body(b"<html>"), "POL123", "CLU010"),
    "nothing": (body(b""), "POL123", "CLU010"),
    "status 500": (body(b"oops", status="500 Internal Server Error"), "POL123", "CLU010"),
    "no object": (sent([A]), "POL124", "it is no object"),
    "empty object": (sent({}), "POL124", "an object without a kind"),
    "wrong apiVersion": (
        sent({**response(A), "apiVersion": "externaldata.gatekeeper.sh/v2"}),
        "POL124",
        'but "ProviderResponse" of "externaldata.gatekeeper.sh/v2"',
    ),
    "wrong kind": (sent({**response(A), "kind": "Status"}), "POL124", '"Status"'),
    "two answers": (sent(response(A, {"key": "a", "value": "y"})), "POL124", 'two different answers for "a"'),
    "items no list": (sent(response(items={"a": "x"})), "POL124", "items has the wrong type"),
    "item no object": (sent(response("a")), "POL124", "an item is no object"),  # type: ignore[arg-type]
    "key no text": (sent(response({"key": 1})), "POL124", "key has the wrong type: 1"),
    "error no text": (sent(response({"key": "a", "error": {}})), "POL124", "error has the wrong type"),
    "response no object": (sent({**response(), "response": []}), "POL124", "response has the wrong type"),
    "idempotent no boolean": (sent(response(A, idempotent="yes")), "POL124", "idempotent has the wrong type"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_answers_that_cannot_be_used(client: Client, name: str) -> None:
    handler, code, said = UNUSABLE[name]
    with serving(handler) as server:
        start = time.monotonic()
        answers = ask(asking(client, server, timeout=1))
        assert time.monotonic() - start < SOON
    outcome = answers.outcomes["p"]["a"]
    assert (outcome.state, outcome.status) == (State.FAILED, 500)
    assert outcome.system_error.startswith("failed to ")
    assert outcome.cause is not None
    assert outcome.cause.code.id == code
    assert said in outcome.cause.message


ODD: dict[str, tuple[Handler, list[str], State]] = {
    "missing": (sent(response()), ['it does not answer for "a"'], State.MISSING),
    "extra": (sent(response(A, {"key": "b"})), ['it answers what it was not asked: "b"'], State.ANSWERED),
    "wrong": (
        sent(response({"key": "A", "value": 1})),
        ['it answers what it was not asked: "A"', 'it does not answer for "a"'],
        State.MISSING,
    ),
    "twice the same": (sent(response(A, A)), [], State.ANSWERED),
    "status 500 with an answer": (
        sent(response(A), status="500 Internal Server Error"),
        ["it answers with status 500"],
        State.ANSWERED,
    ),
    "a system error": (sent(response(systemError="down")), [], State.MISSING),
}


@pytest.mark.parametrize("name", ODD)
def test_answers_that_are_odd(client: Client, name: str) -> None:
    handler, said, state = ODD[name]
    with serving(handler) as server:
        answers = ask(asking(client, server))
    assert answers.outcomes["p"]["a"].state is state
    assert [row.code.id for row in answers.warnings] == ["POL125"] * len(said)
    assert [row.message.removeprefix("external data provider p: ") for row in answers.warnings] == said


TLS: dict[str, tuple[ssl.SSLContext | None, str]] = {
    "another CA": (server_context(Authority("another CA").server()), "CLU003"),
    "expired": (
        server_context(CA.issue(addresses=("127.0.0.1",), begins=NOW - 3 * DAY, ends=NOW - DAY)),
        "CLU003",
    ),
    "another name": (server_context(CA.issue("elsewhere.example")), "CLU003"),
    "TLS 1.2": (server_context(PAIR, newest=ssl.TLSVersion.TLSv1_2), "CLU004"),
    "plain HTTP": (None, "CLU004"),
}


@pytest.mark.parametrize("name", TLS)
def test_connections_that_are_not_made(client: Client, name: str) -> None:
    context, code = TLS[name]
    with Server(echo, context) as server:
        known = {"p": load_provider(provider(f"https://127.0.0.1:{server.port}/"))}
        outcome = ask(HttpsProviders(known, client)).outcomes["p"]["a"]
        assert not server.asked
    assert outcome.state is State.FAILED
    assert outcome.cause is not None
    assert code in outcome.cause.message


def test_a_client_certificate_is_shown(client: Client) -> None:
    pair = CA.issue(client=True)
    identity = Identity(chain=pair.certificate, key=Secret(pair.key))
    with Server(echo, server_context(PAIR, client_ca=CA.certificate)) as server:
        assert ask(asking(client, server)).outcomes["p"]["a"].state is State.FAILED
        outcome = ask(asking(client, server, identity=identity)).outcomes["p"]["a"]
    assert outcome == Outcome(value="A")


def test_nobody_there(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
    providers = HttpsProviders({"p": load_provider(provider(url))}, client)
    outcome = ask(providers).outcomes["p"]["a"]
    assert outcome.system_error == (
        f"failed to send external data request: {url} cannot be reached: the connection is refused"
    )


def test_a_provider_that_is_not_known(client: Client) -> None:
    outcome = ask(HttpsProviders({}, client)).outcomes["p"]["a"]
    assert (outcome.state, outcome.status) == (State.FAILED, 400)
    assert outcome.system_error == "key is not found in provider cache"


def test_a_host_that_may_not_be_asked_leaves_the_question_unasked() -> None:
    with Client(allowed=frozenset({"other.example"})) as narrow, serving(echo) as server:
        outcome = ask(asking(narrow, server, help="allow it")).outcomes["p"]["a"]
        assert not server.asked
    assert outcome.state is State.UNASKED
    assert outcome.cause is not None
    assert (outcome.cause.code.id, outcome.cause.help) == ("POL122", "allow it")


def test_too_many_keys(client: Client) -> None:
    with serving(echo) as server:
        outcome = ask(asking(client, server), "x" * 1_000_001).outcomes["p"].popitem()[1]  # type: ignore[attr-defined]
        assert not server.asked
    assert outcome.cause.code.id == "POL126"


def test_the_deadline_of_the_review_holds(client: Client) -> None:
    with serving(hang) as server:
        start = time.monotonic()
        outcome = ask(asking(client, server, timeout=30), deadline=Deadline.after(0.3)).outcomes["p"]["a"]
        assert time.monotonic() - start < SOON
    assert outcome.state is State.FAILED


# --- what is kept -----------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_answers_are_kept_for_three_minutes(client: Client) -> None:
    clock = Clock()
    with serving(echo) as server:
        providers = asking(client, server, clock=clock)
        first = ask(providers, "a", "bad")
        clock.now += 180
        assert ask(providers, "bad", "a") == first
        assert ask(providers, "a", "b").outcomes["p"].keys() == {"a", "b"}
        assert [asked.json()["request"]["keys"] for asked in server.asked] == [["a", "bad"], ["b"]]
        clock.now += 1
        ask(providers, "a")
    assert len(server.asked) == 3


@pytest.mark.parametrize("name", ["a system error", "status 500 with an answer", "missing"])
def test_accidents_are_not_kept(client: Client, name: str) -> None:
    with serving(ODD[name][0]) as server:
        providers = asking(client, server)
        ask(providers)
        ask(providers)
    assert len(server.asked) == 2


def test_a_provider_that_fails_is_left_alone_as_long_as_it_kept_us_waiting(client: Client) -> None:
    clock = Clock()

    def late(exchange: Exchange) -> None:
        clock.now += 3
        exchange.answer(b"oops")

    with serving(late) as server:
        providers = asking(client, server, clock=clock)
        first = ask(providers)
        clock.now += 2.9
        assert ask(providers) == first
        assert len(server.asked) == 1
        clock.now += 0.2
        ask(providers)
    assert len(server.asked) == 2


def test_a_changed_provider_starts_anew(client: Client) -> None:
    cache = AnswerCache()
    with serving(echo) as server:
        for timeout in (5, 5, 6):
            ask(asking(client, server, cache=cache, timeout=timeout))
    assert len(server.asked) == 2


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        answer_cache, "SIZE", answer_cache.SIZE.__class__("kept answers", 5_000, "bytes", "a test")
    )
    cache, known = AnswerCache(), load_provider(provider("https://a/"))
    for number in range(100):
        cache.put(known, {f"k{number}": Outcome(value="x" * 100)})
    kept = [number for number in range(100) if cache.get(known, f"k{number}")]
    assert kept == [*range(92, 100)]
    cache.put(known, {"huge": Outcome(value="x" * 10_000)})
    assert cache.get(known, "huge") is None
