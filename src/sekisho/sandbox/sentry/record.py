"""What the Sentry tells of the calls that it answers: those that were denied, and where time went."""

from __future__ import annotations

import _thread
import errno

from sekisho.sandbox.sentry import task
from sekisho.sandbox.sentry.call import Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final

    from sekisho.sandbox.events import Events
    from sekisho.sandbox.sentry.call import Call, Result

REFUSALS: Final = frozenset(
    (
        errno.EPERM, errno.ENOSYS, errno.EACCES, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT,
        errno.ESOCKTNOSUPPORT, errno.EOPNOTSUPP, errno.ENOTTY,
    )
)  # fmt: skip
"""Errors by which a handler says that a sandbox does not do this, rather than that it cannot be done."""
ROWS_MOST: Final = 4096
"""Different denied calls that are counted; a program can ask for many ioctls."""


class Denied(Errno):
    """The call is not to be had in a sandbox."""


def refusing(number: int) -> Callable[[Call], Result]:
    """The handler of a call that the filter would have denied by itself, with this error or none."""

    def refuse(_call: Call) -> Result:
        if number:
            raise Denied(number)
        return 0

    return refuse


class Record:
    """Counts for one sandbox. Every event is told once it has happened 1, 2, 4, ... times, and at the end."""

    def __init__(self, events: Events, names: Mapping[int, str], *, profiles: bool) -> None:
        self._events = events
        self._names = names
        self._lock = _thread.allocate_lock()
        self._denied: dict[tuple[int, int, str, int], int] = {}
        self._spent: dict[int, tuple[int, int, int]] = {}
        self.profiles = profiles

    def refused(self, call: Call, error: Errno) -> None:
        """A handler has refused a call."""
        if not isinstance(error, Denied) and error.number not in REFUSALS:
            return
        program = task.name(call.tid).decode("utf-8", "replace")
        command = call.args[1] & 0xFFFF_FFFF if self._names.get(call.nr) == "ioctl" else 0
        key = (call.nr, error.number, program, command)
        with self._lock:
            count = self._denied.get(key, 0) + 1
            if count == 1 and len(self._denied) >= ROWS_MOST:
                return
            self._denied[key] = count
        if count & (count - 1) == 0:
            self._tell(key, count)

    def _tell(self, key: tuple[int, int, str, int], count: int, **more: object) -> None:
        number, error, program, command = key
        if command:
            more["command"] = f"{command:#x}"
        self._events.tell(
            "denied",
            call=self._names.get(number, str(number)),
            error=errno.errorcode.get(error, str(error)),
            program=program,
            count=count,
            **more,
        )

    def spent(self, number: int, nanoseconds: int) -> None:
        """A call was answered in this time."""
        with self._lock:
            count, total, most = self._spent.get(number, (0, 0, 0))
            self._spent[number] = (count + 1, total + nanoseconds, max(most, nanoseconds))

    def finish(self) -> None:
        """Tell what was counted."""
        for key, count in self._denied.items():
            self._tell(key, count, final=True)
        for number, (count, total, most) in self._spent.items():
            self._events.tell(
                "profile",
                call=self._names.get(number, str(number)),
                count=count,
                seconds=total / 1e9,
                longest=most / 1e9,
            )
