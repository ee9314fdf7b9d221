"""Takes notifications and hands them to handlers, in a few threads.

One thread is always parked in the kernel, waiting for the next notification, while another works: a call
that has been taken up is no more interrupted by signals, one that waits in the queue is. A handler that may
wait says so (``Kernel.waiting``), and another thread takes its place.
"""

from __future__ import annotations

import _thread
import errno
import fcntl
import os
import select
import time

from sekisho.sandbox import process_native
from sekisho.sandbox.abi.flags import (
    CLONE_FS,
    NOTIF_SIZE,
    SECCOMP_IOCTL_NOTIF_ID_VALID,
    SECCOMP_IOCTL_NOTIF_RECV,
    SECCOMP_IOCTL_NOTIF_SET_FLAGS,
    SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP,
)
from sekisho.sandbox.abi.notify import ID, REQUEST
from sekisho.sandbox.sentry import task
from sekisho.sandbox.sentry.call import ANSWERED, CONTINUE, Call, Errno, Gone
from sekisho.sandbox.sentry.record import refusing

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping
    from typing import Final

    from sekisho.sandbox.sentry.call import Result
    from sekisho.sandbox.sentry.kernel import Kernel, Waiter
    from sekisho.sandbox.sentry.record import Record

    Handler = Callable[[Call], Result]
else:
    import _signal as signal  # without enum, which costs a third of an interpreter's start

PARKED: Final = 2
"""Threads that wait for notifications at all times: one to work, one to stay behind."""

WAITERS_MOST: Final = 256
"""Handlers that wait at once; more of them would be the workload's way to make threads of ours."""

SETTLE_LOOKS: Final = 200
SETTLE_PAUSE: Final = 0.000_05
"""Seconds between looks at whether other threads have closed their copies; together a hundredth of a
second.
"""

LOOK: Final = 0.02
"""Seconds between looks at callers whose handlers wait: how late a signal may end a wait."""

WAKE: Final = signal.SIGUSR1
"""Ends a system call in which one of our threads waits."""


_UNKNOWN: Final = refusing(errno.ENOSYS)


class Server:
    """The threads of one Sentry. ``handlers`` maps numbers of system calls; others are answered ENOSYS."""

    def __init__(self, kernel: Kernel, handlers: Mapping[int, Handler], record: Record | None = None) -> None:
        self._kernel = kernel
        self._record = record
        self._handlers = handlers
        self._lock = _thread.allocate_lock()
        self._waiting: dict[
            int, tuple[int, int, int]
        ] = {}  # our thread -> listener, the call's id, its thread
        self._watched = False
        self._calls: list[Call] = []
        kernel.server = self

    def serve(self, listener: int) -> None:
        """Begin to take the notifications of a listener; does not wait. There may be several."""
        try:
            fcntl.ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTTY):
                raise  # before Linux 6.6 a wake-up costs more, no more than that
        for _ in range(PARKED):
            _thread.start_new_thread(self._serve, (listener,))

    # the loop

    def _serve(self, listener: int) -> None:
        process_native.unshare(CLONE_FS)  # a working directory and a umask of this thread's own
        handlers, take = self._handlers, REQUEST.unpack
        call = Call(self._kernel, listener)
        self._calls.append(call)
        buffer, zeros = bytearray(NOTIF_SIZE), bytes(NOTIF_SIZE)
        while True:
            buffer[:] = zeros
            try:
                fcntl.ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, buffer)
            except OSError as error:
                if error.errno == errno.ENOENT and _finished(listener):
                    self._calls.remove(call)
                    return
                continue  # a signal reached the caller, or us, first
            call.id, call.tid, _, call.nr, _, _, *registers = take(buffer)
            call.args = tuple(registers)
            if self._record is None or not self._record.profiles:
                self._handle(call, handlers.get(call.nr))
            else:
                begin = time.perf_counter_ns()
                self._handle(call, handlers.get(call.nr))
                self._record.spent(call.nr, time.perf_counter_ns() - begin)
            if call.surplus:
                self._calls.remove(call)
                return

    def _handle(self, call: Call, handler: Handler | None) -> None:
        try:
            handler = handler or _UNKNOWN
            if not self._kernel.ids_known:
                call.act_as(task.identity(call))
            result = handler(call)
            if result is ANSWERED:
                return
            if result is CONTINUE:
                call.resume()
            else:
                assert isinstance(result, int)
                call.answer(result)
        except Errno as error:
            if self._record is not None:
                self._record.refused(call, error)
            call.answer(0, error.number)
        except OSError as error:
            call.answer(0, error.errno or errno.EIO)
        except Gone:
            return
        except Exception as error:  # noqa: BLE001  whatever it is, the call is denied
            self._bug(call, error)
            call.answer(0, errno.EIO)

    def _bug(self, call: Call, error: Exception) -> None:
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "?"
        text = f"sekisho: bug: call {call.nr}: {type(error).__name__}: {error} at {place}\n"
        os.write(2, text.encode("utf-8", "replace"))

    def settle(self, call: Waiter) -> None:
        """Wait until no other thread of ours still has open what its caller has already got.

        Else a file could not be executed because we still have it open for writing, a FIFO would have a
        reader that is none, and a lock would outlive its file. Bounded: what holds another thread up is not
        waited for long.
        """
        for _ in range(SETTLE_LOOKS):
            for other in self._calls:
                if other.closing and other is not call:
                    break
            else:
                return
            time.sleep(SETTLE_PAUSE)

    # waiting

    def wait_begins(self, call: Waiter) -> None:
        """This thread is about to wait in a system call for the caller's sake."""
        with self._lock:
            if len(self._waiting) >= WAITERS_MOST:
                raise Errno(errno.EAGAIN)
            self._waiting[_thread.get_native_id()] = (call.listener, call.id, call.tid)
            if not self._watched:
                self._watched = True
                _thread.start_new_thread(self._watch, ())
        _thread.start_new_thread(self._serve, (call.listener,))

    def wait_ends(self, call: Waiter) -> None:
        """The wait is over: another thread has this one's place, so this one goes when it has answered."""
        call.surplus = True
        with self._lock:
            del self._waiting[_thread.get_native_id()]

    def _watch(self) -> None:
        """End the waits whose caller is gone or has a signal to handle, as long as there are waits."""
        while True:
            time.sleep(LOOK)
            with self._lock:
                if not self._waiting:
                    self._watched = False
                    return
                for thread, (listener, id, tid) in self._waiting.items():
                    if not _still(listener, id) or _signalled(tid):
                        _tgkill(thread)


def _finished(listener: int) -> bool:
    """Whether nobody is left whom the filter binds."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def _still(listener: int, id: int) -> bool:
    try:
        fcntl.ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, ID.pack(id))
    except OSError:
        return False
    return True


def _signalled(tid: int) -> bool:
    """Whether a signal waits for a thread that does not block it."""
    try:
        fd = os.open(f"{tid}/status", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        text = os.read(fd, 4096)
    except OSError:
        return True
    finally:
        os.close(fd)
    masks = {}
    for line in text.splitlines():
        name, _, value = line.partition(b":\t")
        if name in (b"SigPnd", b"ShdPnd", b"SigBlk", b"SigIgn"):
            masks[name] = int(value, 16)
    return bool((masks[b"SigPnd"] | masks[b"ShdPnd"]) & ~masks[b"SigBlk"])


def _tgkill(thread: int) -> None:
    process_native.signal_thread(os.getpid(), thread, WAKE)
