"""Lines to files, in a thread: a disk that is full, slow or gone costs records, never an answer."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, Final

from sekisho.admission.decisions.chain import Chain, Head
from sekisho.diag import Limit

_LOG: Final = logging.getLogger(__name__)

QUEUE: Final = Limit("records that wait to be written", 10_000, "records", "ten seconds of a busy process")
FILE: Final = Limit("a file of the decision log", 64 * 1024 * 1024, "bytes", "a hundred thousand records")
FILES: Final = Limit("files of one process", 16, "files", "a gigabyte; who collects logs has them by then")

PAUSE: Final = 5.0
"""Seconds until a disk that failed is tried again."""

BATCH: Final = 256
"""Records that are written at once."""


class Fsync(Enum):
    """When the disk is asked to have everything: what is only in memory does not survive a power cut."""

    NEVER = "never"
    SECOND = "second"
    ALWAYS = "always"


class Writer:
    """The log of one process. ``name`` tells it from those of others in the same folder."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        fsync: Fsync = Fsync.SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lost = 0
        """Records that could not be written."""
        self._folder = folder
        self._name = name
        self._fsync = fsync
        self._clock = clock
        self._chain = Chain()
        self._written = self._chain.head
        self._queue: queue.Queue[Mapping[str, Any] | None] = queue.Queue(QUEUE.value)
        self._file = -1
        self._size = 0
        self._count = 0
        self._untold = 0
        self._synced = 0.0
        self._retry = 0.0
        self._thread = threading.Thread(target=self._run, name="sekisho-decisions", daemon=True)
        self._thread.start()

    @property
    def head(self) -> Head:
        """The end of the chain, as far as it is written."""
        return self._written

    def add(self, record: Mapping[str, Any]) -> None:
        """Have a record written. Never waits; what does not fit is counted."""
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self._miss(1)

    def close(self, seconds: float = 2.0) -> None:
        """Write what waits, within this time."""
        with suppress(queue.Full):
            self._queue.put(None, timeout=seconds)
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            record = self._queue.get()
            batch: list[Mapping[str, Any]] = []
            while record is not None and len(batch) < BATCH:
                batch.append(record)
                try:
                    record = self._queue.get_nowait()
                except queue.Empty:
                    break
            else:
                if record is not None:
                    batch.append(record)
            self._write(batch)
            if record is None:
                self._close()
                return

    def _write(self, batch: list[Mapping[str, Any]]) -> None:
        if not batch:
            return
        if self._clock() < self._retry:
            self._miss(len(batch))
            return
        before = self._chain.head
        lines = bytearray()
        for index, record in enumerate(batch):
            lines += self._chain.line(record, lost=self._untold if index == 0 else 0)
        try:
            self._open(len(lines))
            self._append(bytes(lines))
        except OSError as error:
            # What was not written whole is taken back, so that the chain goes on from the last whole line.
            self._chain.head = before
            self._miss(len(batch))
            self._retry = self._clock() + PAUSE
            _LOG.error("the decision log cannot be written: %s", error.strerror)
            self._close()
            return
        self._untold = 0
        self._written = self._chain.head

    def _append(self, lines: bytes) -> None:
        at, size = 0, self._size
        try:
            while at < len(lines):
                at += os.write(self._file, lines[at:])
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, size)
            raise
        self._size += len(lines)
        now = self._clock()
        due = self._fsync is Fsync.SECOND and now - self._synced >= 1
        if due or self._fsync is Fsync.ALWAYS:
            os.fsync(self._file)
            self._synced = now

    def _open(self, size: int) -> None:
        """The file to write to: a new one where the last one would become too large."""
        if self._file >= 0 and not FILE.exceeded_by(self._size + size):
            return
        self._close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path(self._count), flags, 0o600)
        self._size = os.fstat(self._file).st_size
        self._count += 1
        with suppress(OSError):
            self._path(self._count - 1 - FILES.value).unlink()

    def _path(self, count: int) -> Path:
        return self._folder / f"{self._name}-{count:06}.jsonl"

    def _close(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _miss(self, count: int) -> None:
        self.lost += count
        self._untold += count
