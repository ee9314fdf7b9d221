"""Streams of Pods, over connections that are made of queues."""

from __future__ import annotations

import asyncio
import json
import struct
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver import calling
from tests.unit.apiserver.streaming.scripted import Scripted

from sekisho.apiserver.answer import Answer
from sekisho.apiserver.route import Call, target_of
from sekisho.apiserver.streaming import channels
from sekisho.web.spdydictionary import DICTIONARY

PODS = "/api/v1/namespaces/default/pods"
SUCCESS = {"metadata": {}, "status": "Success"}


class Line:
    """A connection whose other end is the test: what it sends, and what it has been sent."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.outgoing: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self) -> bytes:
        return await self.incoming.get()

    async def write(self, data: bytes) -> None:
        self.outgoing.put_nowait(data)

    def sent(self) -> list[bytes]:
        return [self.outgoing.get_nowait() for _ in range(self.outgoing.qsize())]


async def ask(call: calling.Client, path: str, **more: Any) -> Answer:
    path, _, text = path.partition("?")
    pairs = [row.partition("=")[::2] for row in text.split("&") if row]
    repeated: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        repeated[name] = (*repeated.get(name, ()), value)
    target = target_of("GET", path, dict(pairs))
    return await call.api.handle(Call(target=target, query=dict(pairs), repeated=repeated, **more))


def run(folder: Path, work: Callable[[calling.Client], Awaitable[None]], runtime: Any = None) -> None:
    async def main(call: calling.Client) -> None:
        call.api.runtime = runtime or Scripted()
        spec = {"containers": [{"name": "c", "image": "a"}]}
        two = {"containers": [{"name": name, "image": "a"} for name in ("a", "b")]}
        for name, body in (("p", {**spec, "nodeName": "n"}), ("two", two), ("nowhere", spec)):
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}
            assert (await call("POST", PODS, pod))[0] == 201
        await work(call)

    calling.run(folder, main)


async def text_of(answer: Answer) -> str:
    assert answer.lines is not None, answer.body
    return b"".join([piece async for piece in answer.lines]).decode()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "one\ntwo\nthree\n"),
        ("tailLines=1", "three\n"),
        ("tailLines=0&follow=true", "four\nfive\n"),
        ("follow=true&tailLines=1", "three\nfour\nfive\n"),
        ("limitBytes=5", "one\nt"),
        ("tailLines=1&timestamps=true", "2026-01-02T03:04:07.000000000Z three\n"),
        ("sinceTime=2026-01-02T03:04:06Z", "two\nthree\n"),
        ("sinceSeconds=1", ""),
    ],
)
def test_which_lines_of_a_log_are_told(tmp_path: Path, query: str, wanted: str) -> None:
    async def work(call: calling.Client) -> None:
        assert await text_of(await ask(call, f"{PODS}/p/log?{query}")) == wanted

    run(tmp_path, work)


REFUSALS = (
    ("nope/log", 404, 'pods "nope" not found'),
    ("p/log?container=x", 400, "container x is not valid for pod p"),
    ("two/log", 400, "a container name must be specified for pod two, choose one of: [a b]"),
    ("p/log?tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
    ("p/log?tailLines=-1", 422, "must be greater than or equal to 0"),
    ("p/log?previous=true", 400, 'previous terminated container "c" in pod "p" not found'),
    ("nowhere/exec?command=a&stdout=true", 400, "pod nowhere does not have a host assigned"),
    ("nowhere/portforward", 400, "pod nowhere does not have a host assigned"),
    ("p/exec?stdout=true", 400, "you must specify at least one command for the container"),
    ("p/exec?command=a", 400, "you must specify at least one of stdin, stdout, stderr"),
    ("p/exec?command=a&stdout=true", 400, "Upgrade request required"),
)


@pytest.mark.parametrize(("path", "code", "text"), REFUSALS)
def test_what_is_refused(tmp_path: Path, path: str, code: int, text: str) -> None:
    async def work(call: calling.Client) -> None:
        answer = await ask(call, f"{PODS}/{path}")
        assert answer.code == code
        assert text in json.loads(answer.body)["message"]

    run(tmp_path, work)


def test_protocols_that_nobody_speaks_are_refused(tmp_path: Path) -> None:
    async def work(call: calling.Client) -> None:
        path = f"{PODS}/p/exec?command=a&stdout=true"
        answer = await ask(call, path, upgrade="websocket", websocket_protocols=("channel.k8s.io",))
        assert answer.code == 403

    run(tmp_path, work)


def test_a_pod_that_is_nowhere_has_an_empty_log(tmp_path: Path) -> None:
    async def work(call: calling.Client) -> None:
        answer = await ask(call, f"{PODS}/nowhere/log")
        assert (answer.code, answer.body) == (200, b"")

    run(tmp_path, work)


# Commands over a WebSocket.


async def command(call: calling.Client, query: str, *messages: bytes, leave: bool = True) -> list[bytes]:
    """The messages that a command sends."""
    answer = await ask(
        call, f"{PODS}/p/exec?{query}", upgrade="websocket", websocket_protocols=("v5.channel.k8s.io",)
    )
    assert answer.upgrade is not None, answer.body
    assert answer.upgrade.websocket == "v5.channel.k8s.io"
    line = Line()
    for message in messages:
        line.incoming.put_nowait(message)
    task = asyncio.ensure_future(answer.upgrade.serve(line))
    found: list[bytes] = []
    while leave and not (found and found[-1][0] == channels.ERROR):
        found.append(await asyncio.wait_for(line.outgoing.get(), 5))
    line.incoming.put_nowait(b"")
    await asyncio.wait_for(task, 5)
    return found


@pytest.mark.parametrize(
    ("query", "messages", "wanted"),
    [
        ("command=echo&command=a&command=b&stdout=true", (), [b"\x01a b\n"]),
        ("command=both&stdout=true&stderr=true", (), [b"\x01out\n", b"\x02err\n"]),
        ("command=cat&stdin=true&stdout=true", (b"\x00x", b"\x00y", b"\xff\x00"), [b"\x01x", b"\x01y"]),
        ("command=size&stdout=true&tty=true", (b'\x04{"Width":80,"Height":24}',), [b"\x0180x24\n"]),
        ("command=size&stdout=true&tty=true", (b"\x04[]", b'\x04{"Width":1,"Height":2}'), [b"\x011x2\n"]),
    ],
)
def test_a_command_over_a_websocket(
    tmp_path: Path, query: str, messages: tuple[bytes, ...], wanted: list[bytes]
) -> None:
    async def work(call: calling.Client) -> None:
        *output, end = await command(call, query, *messages)
        assert output == wanted
        assert end[0] == channels.ERROR
        assert json.loads(end[1:]) == SUCCESS

    run(tmp_path, work)


def test_an_exit_code_is_told(tmp_path: Path) -> None:
    async def work(call: calling.Client) -> None:
        [end] = await command(call, "command=fail&command=3&stdout=true")
        found = json.loads(end[1:])
        assert found["reason"] == "NonZeroExitCode"
        assert found["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]

    run(tmp_path, work)


def test_what_the_runtime_cannot_do_is_told(tmp_path: Path) -> None:
    async def work(call: calling.Client) -> None:
        [end] = await command(call, "command=nosuch&stdout=true")
        assert 'exec: "nosuch": executable file not found' in json.loads(end[1:])["message"]

    run(tmp_path, work)


def test_what_is_not_expected_is_told_without_what_it_was(tmp_path: Path) -> None:
    async def work(call: calling.Client) -> None:
        [end] = await command(call, "command=fail&command=secret&stdout=true")
        text = json.loads(end[1:])["message"]
        assert text.endswith("the command could not be run")
        assert "secret" not in text

    run(tmp_path, work)


def test_a_client_that_goes_away_cancels_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "START_SECONDS", 0)
    runtime = Scripted()
    started = asyncio.Event()

    async def exec(pod: Any, container: str, words: Any, streams: Any) -> int:
        started.set()
        await runtime._sleep()
        return 0

    async def work(call: calling.Client) -> None:
        line = Line()
        path = f"{PODS}/p/exec?command=sleep&stdout=true"
        answer = await ask(call, path, upgrade="websocket", websocket_protocols=("v4.channel.k8s.io",))
        assert answer.upgrade is not None
        task = asyncio.ensure_future(answer.upgrade.serve(line))
        await started.wait()
        line.incoming.put_nowait(b"")
        await asyncio.wait_for(task, 5)
        assert runtime.cancelled
        assert line.sent() == []

    runtime.exec = exec  # type: ignore[method-assign]
    run(tmp_path, work, runtime)


# SPDY.


class Spdy:
    """The client's side of SPDY, for tests."""

    def __init__(self) -> None:
        self.line = Line()
        self.deflate = zlib.compressobj(zdict=DICTIONARY)
        self.inflate = zlib.decompressobj(zdict=DICTIONARY)
        self.next = 1

    def open(self, **headers: str) -> int:
        number, self.next = self.next, self.next + 2
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            block += struct.pack(">I", len(name)) + name.encode()
            block += struct.pack(">I", len(value)) + value.encode()
        packed = self.deflate.compress(block) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        self.control(1, struct.pack(">IIH", number, 0, 0) + packed)
        return number

    def control(self, kind: int, body: bytes, version: int = 0x8003) -> None:
        self.send(struct.pack(">HHB", version, kind, 0) + len(body).to_bytes(3, "big") + body)

    def data(self, number: int, data: bytes, *, end: bool = False) -> None:
        self.send(struct.pack(">IB", number, int(end)) + len(data).to_bytes(3, "big") + data)

    def send(self, data: bytes) -> None:
        for start in range(0, len(data), 7):  # frames come in any pieces
            self.line.incoming.put_nowait(data[start : start + 7])

    def leave(self) -> None:
        self.line.incoming.put_nowait(b"")

    async def frame(self) -> tuple[int, bytes, bool]:
        """The next frame: its stream (0 for control frames), its data, whether it ends the stream."""
        found = await asyncio.wait_for(self.line.outgoing.get(), 5)
        if found[0] & 0x80:
            return 0, found, False
        return int.from_bytes(found[:4], "big"), found[8:], bool(found[4] & 1)

    async def read(self, number: int) -> bytes:
        """All that comes on a stream; what comes on others is dropped."""
        found = b""
        while True:
            stream, data, end = await self.frame()
            if stream == number:
                found += data
                if end:
                    return found


async def spdy(call: calling.Client, path: str, protocol: str) -> tuple[Spdy, asyncio.Task[None]]:
    answer = await ask(call, path, upgrade="SPDY/3.1", stream_protocols=(protocol,))
    assert answer.upgrade is not None, answer.body
    assert ("X-Stream-Protocol-Version", protocol) in answer.upgrade.headers
    client = Spdy()
    return client, asyncio.ensure_future(answer.upgrade.serve(client.line))  # type: ignore[arg-type, return-value]


def test_a_command_over_spdy(tmp_path: Path) -> None:
    async def work(call: calling.Client) -> None:
        path = f"{PODS}/p/exec?command=cat&stdin=true&stdout=true"
        client, task = await spdy(call, path, "v4.channel.k8s.io")
        error, stdin, stdout = (client.open(streamtype=name) for name in ("error", "stdin", "stdout"))
        client.data(stdin, b"hello")
        client.data(stdin, b"", end=True)
        seen: dict[int, bytes] = {}
        ended: set[int] = set()
        while not {error, stdout} <= ended:
            number, data, end = await client.frame()
            seen[number] = seen.get(number, b"") + data
            ended |= {number} if end else set()
        assert seen[stdout] == b"hello"
        assert json.loads(seen[error]) == SUCCESS
        client.leave()
        await asyncio.wait_for(task, 5)

    run(tmp_path, work)


def test_a_ping_is_answered(tmp_path: Path) -> None:
    async def work(call: calling.Client) -> None:
        client, task = await spdy(call, f"{PODS}/p/portforward", "portforward.k8s.io")
        client.control(6, struct.pack(">I", 7))
        _, frame, _ = await client.frame()
        assert frame[2:4] == b"\x00\x06"
        assert frame[8:] == struct.pack(">I", 7)
        client.leave()
        await asyncio.wait_for(task, 5)

    run(tmp_path, work)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda client: client.control(1, b"\0" * 4),
        lambda client: client.control(1, b"\0\0\0\1" + b"\0" * 6 + b"no zlib"),
        lambda client: client.control(6, b"\0" * 4, version=0x8002),
        lambda client: client.send(b"\x80\x03\x00\x01\x00\xff\xff\xff"),
        lambda client: (
            client.open(streamtype="data", port="80", requestid="0"),
            client.control(1, b"\0\0\0\1" + b"\0" * 20),
        ),
    ],
)
def test_what_breaks_the_protocol_ends_the_connection(
    tmp_path: Path, break_it: Callable[[Spdy], None]
) -> None:
    async def work(call: calling.Client) -> None:
        client, task = await spdy(call, f"{PODS}/p/portforward", "portforward.k8s.io")
        break_it(client)
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(task, 5)

    run(tmp_path, work)


def test_connections_are_forwarded_side_by_side(tmp_path: Path) -> None:
    async def work(call: calling.Client) -> None:
        client, task = await spdy(call, f"{PODS}/p/portforward", "portforward.k8s.io")
        pairs = []
        for word in ("0", "1"):
            error = client.open(streamtype="error", port="80", requestid=word)
            pairs.append((error, client.open(streamtype="data", port="80", requestid=word)))
        client.data(pairs[1][1], b"second", end=True)
        assert await client.read(pairs[1][1]) == b"SECOND"
        client.data(pairs[0][1], b"first", end=True)
        assert await client.read(pairs[0][1]) == b"FIRST"
        client.leave()
        await asyncio.wait_for(task, 5)

    run(tmp_path, work)


def test_a_port_that_nobody_listens_on_is_told_on_the_error_stream(tmp_path: Path) -> None:
    async def work(call: calling.Client) -> None:
        client, task = await spdy(call, f"{PODS}/p/portforward", "portforward.k8s.io")
        error = client.open(streamtype="error", port="1", requestid="0")
        client.open(streamtype="data", port="1", requestid="0")
        assert await client.read(error) == b"error forwarding port 1 to pod: nothing listens there"
        client.leave()
        await asyncio.wait_for(task, 5)

    run(tmp_path, work)


# Ports over a WebSocket with numbered channels.


async def numbered(call: calling.Client, query: str) -> Answer:
    path = f"{PODS}/p/portforward?{query}"
    return await ask(call, path, upgrade="websocket", websocket_protocols=("v4.channel.k8s.io",))


def test_ports_are_forwarded_on_numbered_channels(tmp_path: Path) -> None:
    async def work(call: calling.Client) -> None:
        answer = await numbered(call, "ports=80,1&ports=8080")
        assert answer.upgrade is not None
        line = Line()
        task = asyncio.ensure_future(answer.upgrade.serve(line))
        heads = [await asyncio.wait_for(line.outgoing.get(), 5) for _ in range(6)]
        assert heads == [b"\0P\0", b"\1P\0", b"\2\1\0", b"\3\1\0", b"\4\x90\x1f", b"\5\x90\x1f"]
        assert await asyncio.wait_for(line.outgoing.get(), 5) == (
            b"\3error forwarding port 1 to pod: nothing listens there"
        )
        for message in (b"\4one", b"\0two", b"\3to nobody", b"\x07neither", b"\0three"):
            line.incoming.put_nowait(message)
        found = [await asyncio.wait_for(line.outgoing.get(), 5) for _ in range(3)]
        assert sorted(found) == [b"\0THREE", b"\0TWO", b"\4ONE"]
        line.incoming.put_nowait(b"")
        await asyncio.wait_for(task, 5)

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "you must specify at least 1 port when using websockets"),
        ("ports=", "you must specify at least 1 port when using websockets"),
        ("ports=80,x", 'unable to parse "x" as a port'),
        ("ports=0", 'unable to parse "0" as a port'),
        ("ports=65536", 'unable to parse "65536" as a port'),
        (f"ports={'9' * 5000}", f'unable to parse "{"9" * 40}" as a port'),
        ("ports=" + ",".join(["80"] * 101), "at most 100 ports"),
    ],
)
def test_which_ports_cannot_be_forwarded(tmp_path: Path, query: str, text: str) -> None:
    async def work(call: calling.Client) -> None:
        answer = await numbered(call, query)
        assert answer.code == 400
        assert text in json.loads(answer.body)["message"]

    run(tmp_path, work)
