"""Descriptors that exist to be waited for."""

from __future__ import annotations

import errno
import os

from sekisho.sandbox import files_native
from sekisho.sandbox.abi.flags import O_CLOEXEC, O_NONBLOCK
from sekisho.sandbox.sentry import task
from sekisho.sandbox.sentry.call import Call, Errno, Result


def epoll_create(call: Call) -> Result:
    """epoll_create(size): the size has meant nothing since 2.6.8."""
    if call.signed(0) <= 0:
        raise Errno(errno.EINVAL)
    return call.give(files_native.new_epoll(O_CLOEXEC), 0)


def eventfd(call: Call) -> Result:
    """eventfd(count)."""
    return call.give(os.eventfd(call.args[0] & 0xFFFF_FFFF, os.EFD_CLOEXEC), 0)


def inotify_init(call: Call) -> Result:
    """inotify_init()."""
    return call.give(files_native.new_inotify(O_CLOEXEC), 0)


def inotify_init1(call: Call) -> Result:
    """inotify_init1(flags)."""
    flags = call.signed(0)
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise Errno(errno.EINVAL)
    return call.give(files_native.new_inotify(flags | O_CLOEXEC), flags)


def inotify_rm_watch(call: Call) -> Result:
    """inotify_rm_watch(fd, watch)."""
    fd = task.take(call, call.signed(0))
    try:
        call.valid()
        files_native.unwatch(fd, call.signed(1))
    finally:
        os.close(fd)
    return 0
