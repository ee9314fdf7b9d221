"""Waiting for many things, and the descriptors that exist only to be waited for."""

from __future__ import annotations

from errno import EINVAL, ENOSYS
from typing import Final

from sekisho.sandbox.table.model import PLAIN, Row, call, checked, denied, notified, within

_WAITS: Final = "waits for descriptors that the Sentry injected or the workload derived from them"

PIPE: Final = {"O_CLOEXEC": 0o2000000, "O_NONBLOCK": 0o4000, "O_DIRECT": 0o40000}
"""Not O_NOTIFICATION_PIPE: CVE-2022-0995."""

_RING: Final = "a second door to every other call, past this filter"
_AIO: Final = "the kernel's old asynchronous I/O; programs fall back"

ROWS: Final[tuple[Row, ...]] = (
    call(7, "poll", PLAIN, _WAITS),
    call(22, "pipe", PLAIN, "a pipe of the workload's own"),
    call(23, "select", PLAIN, _WAITS),
    call(206, "io_setup", denied(ENOSYS), _AIO),
    call(207, "io_destroy", denied(ENOSYS), _AIO),
    call(208, "io_getevents", denied(ENOSYS), _AIO),
    call(209, "io_submit", denied(ENOSYS), _AIO),
    call(210, "io_cancel", denied(ENOSYS), _AIO),
    call(213, "epoll_create", notified("events.epoll_create"), "superseded by epoll_create1"),
    call(214, "epoll_ctl_old", denied(ENOSYS), "never implemented"),
    call(215, "epoll_wait_old", denied(ENOSYS), "never implemented"),
    call(232, "epoll_wait", PLAIN, _WAITS),
    call(233, "epoll_ctl", PLAIN, _WAITS),
    call(253, "inotify_init", notified("events.inotify_init"), "superseded by inotify_init1"),
    call(255, "inotify_rm_watch", notified("events.inotify_rm_watch"), "watches are counted"),
    call(270, "pselect6", PLAIN, _WAITS),
    call(271, "ppoll", PLAIN, _WAITS),
    call(281, "epoll_pwait", PLAIN, _WAITS),
    call(284, "eventfd", notified("events.eventfd"), "superseded by eventfd2"),
    call(290, "eventfd2", PLAIN, "a counter of the workload's own"),
    call(291, "epoll_create1", PLAIN, "a set of descriptors of the workload's own"),
    call(
        293,
        "pipe2",
        checked(within(1, "flags", PIPE), errno=EINVAL),
        "a pipe of the workload's own; no notification pipes",
    ),
    call(294, "inotify_init1", notified("events.inotify_init1"), "watches are counted"),
    call(333, "io_pgetevents", denied(ENOSYS), _AIO),
    call(425, "io_uring_setup", denied(ENOSYS), _RING),
    call(426, "io_uring_enter", denied(ENOSYS), _RING),
    call(427, "io_uring_register", denied(ENOSYS), _RING),
    call(441, "epoll_pwait2", denied(ENOSYS), "programs fall back to epoll_pwait"),
)
