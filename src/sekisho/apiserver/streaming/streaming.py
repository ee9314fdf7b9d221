"""The subresources of Pods that are streams, as answers to calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sekisho.apiserver import status
from sekisho.apiserver.answer import PLAIN, Answer
from sekisho.apiserver.route import Call
from sekisho.apiserver.runtime import PodRuntime, RuntimeProblem, Streams
from sekisho.apiserver.store import Store
from sekisho.apiserver.streaming import channels, remote
from sekisho.apiserver.streaming.forward import (
    CHANNELS,
    PORTS,
    PROTOCOL,
    TUNNEL,
    Forward,
    NumberedForward,
)
from sekisho.apiserver.streaming.logs import LogOptions, written
from sekisho.apiserver.streaming.target import check_placed, container_of, pod_of
from sekisho.web.pipe import Pipe, Upgrade

NO_RUNTIME: Final = "this cluster has no runtime that runs containers"
Json = dict[str, Any]


class Streaming:
    """Answers them. ``runtime`` gives the one of the moment; without any every Pod is nowhere."""

    def __init__(self, store: Store, runtime: Callable[[], PodRuntime | None]) -> None:
        self._store = store
        self._runtime = runtime
        self._rows: Mapping[str, Callable[[Call], Awaitable[Answer]]] = {
            "log": self._log,
            "exec": self._exec,
            "attach": self._attach,
            "portforward": self._forward,
        }

    def find(self, name: str) -> Callable[[Call], Awaitable[Answer]] | None:
        """What answers a subresource, None if it is no stream."""
        return self._rows.get(name)

    def _there(self) -> PodRuntime:
        runtime = self._runtime()
        if runtime is None:
            raise status.internal(NO_RUNTIME)
        return runtime

    async def _log(self, call: Call) -> Answer:
        options = LogOptions.of(call)
        pod = pod_of(self._store, call)
        container = container_of(pod, call.query.get("container", ""))
        if not pod["spec"].get("nodeName"):
            return Answer(content_type=PLAIN)
        runtime = self._there()
        try:
            log = await runtime.logs(pod, container, follow=options.follow, previous=options.previous)
        except RuntimeProblem as problem:
            raise status.bad_request(str(problem)) from None
        return Answer(content_type=PLAIN, lines=written(log, options))

    async def _exec(self, call: Call) -> Answer:
        command = call.repeated.get("command", ())
        if not command:
            raise status.bad_request("you must specify at least one command for the container")
        return self._remote(
            call, lambda runtime, pod, container: partial(runtime.exec, pod, container, command)
        )

    async def _attach(self, call: Call) -> Answer:
        return self._remote(call, lambda runtime, pod, container: partial(runtime.attach, pod, container))

    def _remote(
        self, call: Call, run_of: Callable[[PodRuntime, Json, str], Callable[[Streams], Awaitable[int]]]
    ) -> Answer:
        pod = pod_of(self._store, call)
        check_placed(pod)
        container = container_of(pod, call.query.get("container", ""))
        run = run_of(self._there(), pod, container)
        tty, stdin = call.flag("tty"), call.flag("stdin")
        if not (stdin or call.flag("stdout") or call.flag("stderr")):
            raise status.bad_request("you must specify at least one of stdin, stdout, stderr")

        async def over_websocket(pipe: Pipe) -> None:
            await remote.serve(channels.WebSocketChannels(pipe), run, stdin=stdin, tty=tty)

        async def over_spdy(pipe: Pipe) -> None:
            await remote.serve(channels.SpdyChannels(pipe, _wanted(call)), run, stdin=stdin, tty=tty)

        return _upgraded(call, (channels.WEBSOCKET, over_websocket), (channels.SPDY, over_spdy))

    async def _forward(self, call: Call) -> Answer:
        pod = pod_of(self._store, call)
        check_placed(pod)
        connect = partial(self._there().connect, pod)
        forward = Forward(connect)
        if call.upgrade.lower() == "websocket" and TUNNEL not in call.websocket_protocols:
            numbered = NumberedForward(connect, _ports(call))
            return _upgraded(call, ((CHANNELS,), numbered.serve), ((PROTOCOL,), forward.serve))
        return _upgraded(call, ((TUNNEL,), forward.serve), ((PROTOCOL,), forward.serve))


Way = tuple[Sequence[str], Callable[[Pipe], Awaitable[None]]]
"""Protocols, the best first, and what speaks them."""


def _upgraded(call: Call, websocket: Way, spdy: Way) -> Answer:
    """The upgrade that a client asks for. Raises ApiError (400, 403)."""
    kind = call.upgrade.lower()
    if kind == "websocket":
        chosen = _negotiated(call.websocket_protocols, websocket[0])
        return Answer(upgrade=Upgrade(serve=websocket[1], websocket=chosen))
    if kind == "spdy/3.1":
        chosen = _negotiated(call.stream_protocols, spdy[0])
        headers = (("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", chosen))
        return Answer(upgrade=Upgrade(serve=spdy[1], headers=headers))
    raise status.bad_request("Upgrade request required")


def _negotiated(offered: Sequence[str], spoken: Sequence[str]) -> str:
    found = next((name for name in spoken if name in offered), None)
    if found is None:
        text = (
            f"unable to negotiate protocol: client supports {list(offered)}, server supports {list(spoken)}"
        )
        raise status.ApiError(403, "Forbidden", text)
    return found


def _ports(call: Call) -> list[int]:
    """The ports that a client of numbered channels names. Raises ApiError (400)."""
    words = [word for text in call.repeated.get("ports", ()) for word in text.split(",") if text]
    if not words:
        raise status.bad_request("you must specify at least 1 port when using websockets")
    if len(words) > PORTS:
        raise status.bad_request(f"at most {PORTS} ports can be forwarded over one connection")
    for word in words:
        if not (word.isascii() and word.isdecimal() and len(word) < 6 and 0 < int(word) < 65_536):
            raise status.bad_request(f'unable to parse "{word[:40]}" as a port')
    return [int(word) for word in words]


def _wanted(call: Call) -> list[int]:
    """The streams that the parameters of a call announce; a terminal has no stderr of its own."""
    found = [channels.ERROR]
    found += [channels.NAMES[name] for name in ("stdin", "stdout") if call.flag(name)]
    if call.flag("stderr") and not call.flag("tty"):
        found.append(channels.STDERR)
    if call.flag("tty"):
        found.append(channels.RESIZE)
    return found
