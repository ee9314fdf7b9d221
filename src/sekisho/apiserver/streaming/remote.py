"""``pods/exec`` and ``pods/attach``: a command with its streams, from its start to its status."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import orjson

from sekisho.apiserver.runtime import RuntimeProblem, Streams
from sekisho.apiserver.streaming.channels import STDERR, STDOUT, Channels

_LOG: Final = logging.getLogger(__name__)

Run = Callable[[Streams], Awaitable[int]]
"""Runs the command; its exit code."""


async def serve(channels: Channels, run: Run, *, stdin: bool, tty: bool) -> None:
    """Run a command until it ends or the client goes, and tell the client how it ended."""
    pump = asyncio.ensure_future(channels.pump())
    try:
        if await _opened(channels, pump):
            streams = Streams(
                stdin=channels.stdin if stdin else None,
                stdout=partial(channels.write, STDOUT),
                stderr=partial(channels.write, STDERR),
                tty=tty,
                sizes=channels.sizes,
            )
            status = await _status(pump, run, streams)
            if status is not None:
                await channels.finish(orjson.dumps(status))
                await asyncio.wait([pump], timeout=channels.patience)
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


async def _opened(channels: Channels, pump: asyncio.Future[None]) -> bool:
    """Whether the client opened its streams before it went."""
    ready = asyncio.ensure_future(channels.ready())
    both: set[asyncio.Future[Any]] = {ready, pump}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        ready.cancel()
        return False
    return ready.result()


async def _status(pump: asyncio.Future[None], run: Run, streams: Streams) -> dict[str, Any] | None:
    """How the command ended; None if the client went before it did."""
    command = asyncio.ensure_future(run(streams))
    try:
        both: set[asyncio.Future[Any]] = {command, pump}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not command.done():
            return None
        return _ended(command.result())
    except RuntimeProblem as problem:
        return _failed(str(problem))
    except ConnectionError:
        return None
    except Exception:  # noqa: BLE001 - the client is told that there was an error, the log which
        _LOG.exception("a command failed")
        return _failed("the command could not be run")
    finally:
        command.cancel()
        await asyncio.gather(command, return_exceptions=True)


def _ended(code: int) -> dict[str, Any]:
    """The Status of an exit code, as kubectl reads it."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _failed(message: str) -> dict[str, Any]:
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: error executing command in container: {message}",
        "reason": "InternalError",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    }
