"""Containers on disk: one directory each, below ``--root``.

    ROOT/ID/state.json     what was made (``Record``)
    ROOT/ID/config.json    the bundle's, as it was at create; later changes have no effect
    ROOT/ID/gate           a FIFO, there until the program was started
    ROOT/ID/control        the socket at which the Sentry takes further programs
    ROOT/ID/events         what was denied, and verdicts on the network, a line of JSON each

The state itself is asked of the kernel: a file would lie after a crash.
"""

from __future__ import annotations

import fcntl
import os

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import text
from sekisho.sandbox.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Final

CREATING: Final = "creating"
CREATED: Final = "created"
RUNNING: Final = "running"
PAUSED: Final = "paused"
STOPPED: Final = "stopped"

ID_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.")
ID_MOST: Final = 1024
"""What engines use as ids, and no more: an id is a directory's name."""


def default_root() -> str:
    """Where containers are kept unless ``--root`` says it."""
    if os.geteuid() == 0:
        return "/run/sekisho-runtime"
    return f"{os.environ.get('XDG_RUNTIME_DIR') or f'/tmp/sekisho-{os.geteuid()}'}/sekisho-runtime"  # noqa: S108


def check_id(id: str) -> None:
    """Raise SandboxError SBX111 unless an id may be the name of a directory."""
    if not id or len(id) > ID_MOST or id in (".", "..") or not ID_LETTERS.issuperset(id):
        raise SandboxError(
            "SBX111", f"{id!r} cannot be the id of a container", "use letters, digits and _+-."
        )


@value
class Record:
    """What is known of a container once it was made.

    ``pid`` is the Sentry's, which stands for the container: its exit status is the program's, and it is in
    the container's namespaces and cgroup. ``init`` is the program's own process. ``began`` and
    ``init_began`` are their starting times in clock ticks, by which an id that was given to another
    process since is told apart.
    """

    id: str
    version: str
    pid: int
    began: int
    init: int
    init_began: int
    bundle: str
    rootfs: str
    created: str
    owner: str = ""
    cgroup: str = ""
    upper: str = ""
    annotations: Mapping[str, str] = {}


class Store:
    """The containers below one root."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)

    def folder(self, id: str) -> str:
        """The directory of a container."""
        check_id(id)
        return f"{self.root}/{id}"

    def reserve(self, id: str) -> str:
        """Make the directory of a new container. SBX112 if there is one."""
        folder = self.folder(id)
        os.makedirs(self.root, 0o711, exist_ok=True)
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            raise SandboxError(
                "SBX112", f"container with id exists: {id}", "choose another id, or delete it"
            ) from None
        return folder

    def lock(self, id: str) -> int:
        """Hold the container until the descriptor is closed: one command at a time changes it."""
        folder = self.folder(id)
        try:
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            raise missing(id) from None
        fcntl.flock(fd, fcntl.LOCK_EX)
        return fd

    def save(self, record: Record) -> None:
        """Write a record: whole, or not at all."""
        folder = self.folder(record.id)
        content = {name: getattr(record, name) for name in Record.__annotations__}
        with open(f"{folder}/state.json.new", "w", encoding="utf-8") as file:
            file.write(text.write(content))
        os.rename(f"{folder}/state.json.new", f"{folder}/state.json")

    def load(self, id: str) -> Record:
        """The record of a container. SBX113 if there is none."""
        folder = self.folder(id)
        if not os.path.isdir(folder):
            raise missing(id)
        if not os.path.exists(f"{folder}/state.json"):
            raise SandboxError(
                "SBX114", f"container {id} is not made yet, or its making failed", "delete --force it"
            )
        return Record(**text.parse_file(f"{folder}/state.json"))

    def config(self, id: str) -> Any:
        """The config.json as it was at create."""
        return text.parse_file(f"{self.folder(id)}/config.json")

    def ids(self) -> list[str]:
        """Every container."""
        try:
            names = os.listdir(self.root)
        except OSError:
            return []
        return sorted(name for name in names if os.path.isdir(f"{self.root}/{name}"))

    def records(self) -> Iterator[Record]:
        """Every container that was made; one that goes meanwhile is passed over."""
        for id in self.ids():
            try:
                yield self.load(id)
            except SandboxError:
                continue

    def remove(self, id: str) -> None:
        """Remove what is kept of a container."""
        folder = self.folder(id)
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)

    def gate(self, id: str) -> str:
        """The FIFO that the program waits at."""
        return f"{self.folder(id)}/gate"

    def events(self, id: str) -> str:
        """The file of what happened in a container."""
        return f"{self.folder(id)}/events"

    def control(self, id: str) -> str:
        """The socket at which the Sentry takes further programs."""
        return f"{self.folder(id)}/control"

    def status(self, record: Record) -> str:
        """created, running, paused or stopped."""
        if not is_alive(record.pid, record.began):
            return STOPPED
        if os.path.exists(self.gate(record.id)):
            return CREATED
        if record.cgroup:
            from sekisho.sandbox.oci_runtime.groups import Group

            if Group(record.cgroup).frozen():
                return PAUSED
        return RUNNING


def missing(id: str) -> SandboxError:
    """There is no such container; the words are the ones that containerd looks for."""
    return SandboxError("SBX113", f"container does not exist: {id}")


def began(pid: int) -> int:
    """When a process started, in clock ticks since the machine did; 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def image(pid: int) -> tuple[bytes, ...]:
    """Where the code and the stack of a process's program begin: another program is never at the same
    places.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return ()
    return tuple(fields[23:26])


def is_alive(pid: int, when: int) -> bool:
    """Whether the process with this id is still the one that started then."""
    return when != 0 and began(pid) == when


def state(store: Store, record: Record) -> dict[str, object]:
    """The state as the specification writes it, with what runc adds."""
    status = store.status(record)
    found: dict[str, object] = {
        "ociVersion": record.version,
        "id": record.id,
        "pid": 0 if status == STOPPED else record.init,
        "status": status,
        "bundle": record.bundle,
        "rootfs": record.rootfs,
        "created": record.created,
        "owner": record.owner,
    }
    if record.annotations:
        found["annotations"] = dict(record.annotations)
    return found
