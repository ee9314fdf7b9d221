"""The client's own rate limit, and what a server says of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from tests.simulators.server import Exchange, Server

from sekisho.cluster.client import Client, Refused
from sekisho.cluster.connection import NOBODY, Connection
from sekisho.cluster.rates import Bucket, Limiter, Rate
from sekisho.diag import Deadline, DiagnosticError
from sekisho.web import Trust


def test_a_burst_goes_at_once_and_then_a_token_comes_back_at_the_rate() -> None:
    bucket = Bucket(Rate(qps=2, burst=3), now=0.0)
    assert [bucket.accept(0.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.accept(0.4)
    assert bucket.accept(0.5)
    assert [bucket.accept(100.0) for _ in range(4)] == [True, True, True, False]


def test_who_reserves_later_waits_longer() -> None:
    bucket = Bucket(Rate(qps=10, burst=1), now=0.0)
    assert [round(bucket.reserve(0.0), 3) for _ in range(3)] == [0.0, 0.1, 0.2]
    bucket.give_back()
    assert round(bucket.reserve(0.0), 3) == 0.2


def test_a_clock_that_stands_still_gives_nothing() -> None:
    bucket = Bucket(Rate(qps=1000, burst=1), now=5.0)
    assert bucket.accept(5.0)
    assert not bucket.accept(4.0)
    assert not bucket.accept(5.0)


def test_what_would_wait_past_its_deadline_is_refused_at_once_and_takes_no_turn() -> None:
    async def main() -> None:
        limiter = Limiter(Rate(qps=0.1, burst=1))
        await limiter.wait()
        for _ in range(2):
            with pytest.raises(DiagnosticError) as caught:
                await limiter.wait(Deadline.after(1.0))
            assert caught.value.diagnostics[0].code.id == "CLU026"
            assert "10.0 s" in str(caught.value) or "9.9 s" in str(caught.value)

    asyncio.run(main())


def serve(answers: Iterator[tuple[str, dict[str, str]]]) -> Server:
    def handler(exchange: Exchange) -> None:
        status, headers = next(answers)
        exchange.answer(json.dumps({"reason": status}).encode(), status=status, headers=headers)

    return Server(handler)


def connection(server: Server) -> Connection:
    return Connection(server=server.url.rstrip("/"), trust=Trust(), credentials=lambda _: NOBODY)


LATER = ("429 Too Many Requests", {"Retry-After": "0"})
FINE = ("200 OK", {})


def test_later_is_obeyed_until_the_deadline() -> None:
    async def main() -> None:
        with serve(iter([*[LATER] * 8, FINE])) as server:
            async with Client(connection(server)) as client:
                await client.call("GET", "/api", deadline=Deadline.after(5))
                assert len(server.asked) == 9

    asyncio.run(main())


def test_later_that_is_after_the_deadline_is_the_answer() -> None:
    async def main() -> None:
        with serve(iter([("429 Too Many Requests", {"Retry-After": "7"})])) as server:
            async with Client(connection(server)) as client:
                with pytest.raises(Refused) as caught:
                    await client.call("GET", "/api", deadline=Deadline.after(2))
                assert caught.value.code == 429

    asyncio.run(main())


def test_without_a_deadline_later_is_obeyed_some_times() -> None:
    async def main() -> None:
        with serve(iter([LATER] * 9)) as server:
            async with Client(connection(server)) as client:
                with pytest.raises(Refused):
                    await client.call("GET", "/api")
                assert len(server.asked) == 5

    asyncio.run(main())


def test_a_client_restrains_itself() -> None:
    async def main() -> None:
        with serve(iter([FINE] * 9)) as server:
            async with Client(connection(server), rate=Rate(qps=50, burst=2)) as client:
                clock = asyncio.get_running_loop().time
                begun = clock()
                await asyncio.gather(*(client.call("GET", "/api") for _ in range(7)))
                assert clock() - begun >= 0.09

    asyncio.run(main())
