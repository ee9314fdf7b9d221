"""What the Sentry of one sandbox knows: the state behind all its handlers."""

from __future__ import annotations

import os
import time

from sekisho.sandbox.abi.capabilities import ON_IDS
from sekisho.sandbox.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from sekisho.sandbox.probe import World
    from sekisho.sandbox.sentry.net import Network

    class Waiter(Protocol):
        """The caller of a call: its thread."""

        listener: int
        id: int
        tid: int
        surplus: bool

    class Waits(Protocol):
        """Who keeps an eye on handlers that wait: the server."""

        def wait_begins(self, call: Waiter) -> None:
            """This thread is about to wait in a system call for the caller's sake."""

        def wait_ends(self, call: Waiter) -> None:
            """The wait is over."""

        def settle(self, call: Waiter) -> None:
            """Wait until no other thread of ours still has open what its caller has already got."""


class Identity:
    """As whom files are reached: user, group, additional groups, and the capabilities over files that are
    held.
    """

    __slots__ = ("gid", "groups", "rights", "uid")

    def __init__(self, uid: int, gid: int, groups: tuple[int, ...], rights: frozenset[int]) -> None:
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.rights = rights

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Identity)
            and (self.uid, self.gid, self.rights) == (other.uid, other.gid, other.rights)
            and self.groups == other.groups
        )

    def __hash__(self) -> int:
        return hash((self.uid, self.gid, self.groups, self.rights))


class Kernel:
    """One a sandbox.

    ``identity`` is whom the workload began as; ``ids_known`` says that nobody has become somebody else, so
    that it need not be asked for. ``permitted`` are the capabilities that threads of the Sentry can take
    up. ``init`` is process 1 of the sandbox as the Sentry numbers it. ``proc`` is a directory of the
    Sentry's own procfs (read-only, processes alone), which is also its working directory: there the thread
    ids of notifications mean what they say, and ``self/fd/7`` names what the Sentry has open. ``umask`` is
    what every process began with; ``umask_known`` says that none has changed it.
    """

    __slots__ = (
        "_world",
        "identity",
        "ids_known",
        "init",
        "network",
        "permitted",
        "proc",
        "proc_device",
        "server",
        "started",
        "terminals",
        "umask",
        "umask_known",
    )

    server: Waits

    def __init__(
        self,
        *,
        proc: int,
        init: int,
        identity: Identity,
        permitted: frozenset[int],
        world: World,
        umask: int,
        network: Network,
    ) -> None:
        self.proc = proc
        self.init = init
        self.identity = identity
        self.permitted = permitted
        self.ids_known = True
        self._world = world
        self.umask = umask
        self.network = network
        self.umask_known = True
        self.started = time.monotonic()
        self.proc_device = _device("/proc")
        self.terminals = _device("/dev/pts")

    def world(self) -> World:
        """The machine, as the sandbox shows it now."""
        age = time.monotonic() - self.started
        return replace(self._world, age=age, fresh_id=_fresh_id())

    def identity_changes(self) -> None:
        """A process becomes somebody else, or somebody else comes in: from here on callers are asked who
        they are.
        """
        if self.permitted >= ON_IDS:
            self.ids_known = False

    def shows_no_new_privileges(self) -> bool:
        """Whether a program is told that none gains a privilege: by configuration, or since one asked
        for it.
        """
        return self._world.no_new_privileges

    def no_new_privileges(self) -> None:
        """A program asked that none may gain privileges: from now on that is what is shown."""
        self._world = replace(self._world, no_new_privileges=True)

    def is_emulated(self, device: int) -> bool:
        """Whether files of this device are /proc's: made up by a kernel, not kept by anyone."""
        return device == self.proc_device

    def waiting(self, call: Waiter) -> Waiting:
        """A context in which the handler may wait as long as the caller does.

        Another thread takes over its place. A signal for the caller, or its end, ends the wait with EINTR.
        """
        return Waiting(self.server, call)


class Waiting:
    """See ``Kernel.waiting``."""

    __slots__ = ("_call", "_server")

    def __init__(self, server: Waits, call: Waiter) -> None:
        self._server = server
        self._call = call

    def __enter__(self) -> None:
        self._server.wait_begins(self._call)

    def __exit__(self, *_: object) -> None:
        self._server.wait_ends(self._call)


def _fresh_id() -> str:
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _device(path: str) -> int:
    """The device of a mount of the workload's tree; -1 where it has none."""
    try:
        return os.stat(path).st_dev
    except OSError:
        return -1
