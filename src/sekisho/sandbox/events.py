"""What happens in a sandbox, told as lines of JSON.

One line an event, each written at once, so that several processes can write to one file or pipe. A reader
that is too slow, or a file that is full, loses events; how many is told when there is room again.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LINE_MOST: Final = 4096
"""PIPE_BUF: what a pipe takes in one piece."""
FILE_MOST: Final = 8 << 20
"""Bytes of a file of events: a program that is refused for ever must not fill a disk."""


def write_value(value: object) -> str:
    """A value as JSON: texts, numbers, truth, None, lists and mappings of them."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{write_value(str(k))}: {write_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(write_value, value)) + "]"
    return '"' + "".join(_escaped(letter) for letter in str(value)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if " " <= letter <= "~":
        return letter
    number = ord(letter)
    if number < 0x1_0000:
        return f"\\u{number:04x}"
    number -= 0x1_0000
    return f"\\u{0xD800 | number >> 10:04x}\\u{0xDC00 | number & 0x3FF:04x}"


class Events:
    """Where events go: a descriptor, opened to append; -1 is nowhere."""

    __slots__ = ("_fd", "_left", "_lost")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._left = FILE_MOST
        self._lost = 0

    @property
    def on(self) -> bool:
        """Whether anybody wants to know."""
        return self._fd >= 0

    def tell(self, kind: str, **fields: object) -> None:
        """An event: its kind, the time, and what there is to say."""
        if self._fd < 0:
            return
        if self._lost:
            fields["lost"] = self._lost
        row = {"time": round(time.time(), 6), "event": kind, **fields}
        line = f"{write_value(row)}\n".encode("ascii")
        if len(line) > LINE_MOST:
            row = {"time": row["time"], "event": kind, "shortened": True}
            line = f"{write_value(row)}\n".encode("ascii")
        if self._left < len(line):
            self._lost += 1
            return
        try:
            os.write(self._fd, line)
        except OSError:
            self._lost += 1  # a pipe that is full or closed
        else:
            self._left -= len(line)
            self._lost = 0


def open_file(path: str) -> int:
    """A file of events, for its owner alone."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
