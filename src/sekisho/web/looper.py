"""An event loop in a thread of its own, for callers that have none.

Why a thread, and not a loop that runs to completion at each call: the caller's own deadline must hold even
where the loop is held up; connections outlive a call; several threads may call at once; and callers may have
a loop of their own running, in which a second one cannot run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

GRACE: Final = 1.0
"""Seconds that a call may take beyond its own deadline: then the loop itself is held up."""


class Looper:
    """Runs coroutines in one background thread, which is started when it is first needed.

    The thread is a daemon: it keeps no program from ending. A forked process starts one of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0

    @property
    def fresh(self) -> bool:
        """Whether there is no loop (any more) that this process could use."""
        return self._loop is None or self._process != os.getpid()

    def run(self, work: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> T:
        """What the coroutine gives. TimeoutError if that takes much longer than it should."""
        import asyncio

        future = asyncio.run_coroutine_threadsafe(work(), self._running())
        try:
            return future.result(max(0.0, seconds) + GRACE)
        except (FutureTimeoutError, KeyboardInterrupt):
            future.cancel()
            raise

    def _running(self) -> asyncio.AbstractEventLoop:
        import asyncio

        with self._lock:
            if self.fresh or self._loop is None:
                self._loop = loop = asyncio.new_event_loop()
                self._process = os.getpid()
                self._thread = threading.Thread(target=_serve, args=(loop,), name="sekisho-web", daemon=True)
                self._thread.start()
            return self._loop

    def stop(self) -> None:
        """End the thread and close the loop."""
        with self._lock:
            loop, thread, stale = self._loop, self._thread, self._process != os.getpid()
            self._loop = self._thread = None
        if loop is None or thread is None or stale:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(GRACE)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio

    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    finally:
        loop.close()
