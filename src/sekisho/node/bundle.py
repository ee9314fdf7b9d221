"""A container of a Pod as an OCI configuration, which ``sekisho-runtime`` makes a sandbox of.

Pure, but for names of users, which are looked up in the image's root.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sekisho.kube import quantity
from sekisho.node.environment import expanded
from sekisho.node.problems import ConfigProblem, Refusal
from sekisho.node.rootfs import Image
from sekisho.sandbox.abi.flags import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS
from sekisho.sandbox.files_native import Opener
from sekisho.sandbox.oci_runtime.commands.spec import MASKED, READONLY

Json = dict[str, Any]
Raw = Mapping[str, Any]

CAPABILITIES: Final = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
)  # fmt: skip
"""What containers have that say nothing (containerd's defaults)."""

PERIOD: Final = 100_000
"""Microseconds in which a processor's quota is counted."""

PROCESSES: Final = 4_096
"""Processes of one container at most: a fork bomb ends there."""

LONGEST: Final = 1_000_000
"""Letters that are read of an image's list of users or groups."""

SCRATCH_MODE: Final = "mode=1777"
"""Everybody in a container may write to the folders that it has for itself."""

SHARED: Final = ("network", "ipc", "uts")
"""Namespaces that a Pod's containers share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What there is for a container already: its image, its variables, its Pod's namespaces by kind, and
    mounts as (source, destination, read-only).
    """

    image: Image
    variables: Mapping[str, str]
    namespaces: Mapping[str, str]
    hostname: str
    mounts: Sequence[tuple[str, str, bool]] = field(default_factory=tuple)


def check_pod(spec: Raw) -> None:
    """Raise Refusal for what no sandbox is given."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            raise Refusal("SandboxUnsupported", f"{name}: Pods do not share this machine's namespaces")
    if spec.get("shareProcessNamespace"):
        raise Refusal("SandboxUnsupported", "shareProcessNamespace: each sandbox has its own processes")
    if (spec.get("os") or {}).get("name", "linux") != "linux":
        raise Refusal("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")
    for row in (*(spec.get("initContainers") or ()), *spec["containers"]):
        context = row.get("securityContext") or {}
        if context.get("privileged"):
            raise Refusal("SandboxUnsupported", f"container {row['name']} is privileged: sandboxes never are")
        for port in row.get("ports") or ():
            if port.get("hostPort"):
                raise Refusal(
                    "SandboxUnsupported", f"container {row['name']} wants the host's port {port['hostPort']}"
                )


def config(container: Raw, pod: Raw, made: Made) -> Json:
    """The config.json. Raises ConfigProblem."""
    spec, image = pod["spec"], made.image
    context = {**(spec.get("securityContext") or {}), **(container.get("securityContext") or {})}
    variables = {**dict(row.partition("=")[::2] for row in image.env), "HOSTNAME": made.hostname}
    variables.update(made.variables)
    user = _user(context, image)
    names = [f"CAP_{name}" for name in _capabilities(context)]
    effective = names if user["uid"] == 0 else []
    return {
        "ociVersion": "1.2.0",
        "process": {
            "terminal": bool(container.get("tty")),
            "args": _arguments(container, image, variables),
            "env": [f"{name}={value}" for name, value in variables.items()],
            "cwd": container.get("workingDir") or image.workdir or "/",
            "user": user,
            "capabilities": {
                "bounding": names,
                "effective": effective,
                "permitted": effective,
            },
            "noNewPrivileges": context.get("allowPrivilegeEscalation") is False,
        },
        "root": {"path": str(image.root), "readonly": bool(context.get("readOnlyRootFilesystem"))},
        "mounts": [
            *_system(),
            *_disks(image),
            *(_bind(source, place, readonly=readonly) for source, place, readonly in made.mounts),
        ],
        "annotations": (
            {} if context.get("readOnlyRootFilesystem") else {"sandbox.sekisho.dev/root": "memory"}
        ),
        "linux": {
            "namespaces": [
                *({"type": kind, "path": made.namespaces[kind]} for kind in SHARED),
                *({"type": kind} for kind in ("pid", "mount", "cgroup")),
            ],
            "resources": _resources(container.get("resources") or {}),
            "maskedPaths": [*MASKED, *image.masked],
            "readonlyPaths": list(READONLY),
        },
    }


def _arguments(container: Raw, image: Image, variables: Mapping[str, str]) -> list[str]:
    command, arguments = container.get("command"), container.get("args")
    first = command or image.entrypoint
    rest = arguments or (() if command else image.command)
    found = [expanded(word, variables) for word in (*first, *rest)]
    if not found:
        raise ConfigProblem("CreateContainerError", "no command specified")
    return found


def _user(context: Raw, image: Image) -> Json:
    uid, gid = context.get("runAsUser"), context.get("runAsGroup")
    named, _, group = image.user.partition(":")
    if uid is None:
        uid, own = _known(image.root, named)
        gid = own if gid is None else gid
        if group and context.get("runAsGroup") is None:
            gid = _group(image.root, group)
    if context.get("runAsNonRoot") and int(uid) == 0:
        raise ConfigProblem(
            "CreateContainerConfigError", "container has runAsNonRoot and image will run as root"
        )
    more = [*(context.get("supplementalGroups") or ())]
    if context.get("fsGroup") is not None:
        more.append(context["fsGroup"])
    return {"uid": int(uid), "gid": int(gid or 0), "additionalGids": [int(row) for row in more]}


def _known(root: Path, name: str) -> tuple[int, int]:
    """A user's numbers, by a number or by a name that the image has."""
    if not name:
        return 0, 0
    for row in _rows(root, "etc/passwd"):
        if len(row) > 3 and name in (row[0], row[2]):
            return int(row[2]), int(row[3])
    if name.isdecimal():
        return int(name), 0
    raise ConfigProblem(
        "CreateContainerConfigError", f"unable to find user {name}: no matching entries in passwd file"
    )


def _group(root: Path, name: str) -> int:
    if name.isdecimal():
        return int(name)
    for row in _rows(root, "etc/group"):
        if len(row) > 2 and row[0] == name:
            return int(row[2])
    raise ConfigProblem(
        "CreateContainerConfigError", f"unable to find group {name}: no matching entries in group file"
    )


def _rows(root: Path, path: str) -> list[list[str]]:
    """The rows of a file of an image. Its links lead where they would inside, never out of the root."""
    top = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        handle = Opener().open(top, path.encode(), flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    except OSError:
        return []
    finally:
        os.close(top)
    with os.fdopen(handle, encoding="utf-8", errors="replace") as stream:
        return [line.split(":") for line in stream.read(LONGEST).splitlines()]


def _capabilities(context: Raw) -> list[str]:
    wanted = context.get("capabilities") or {}
    dropped = {_plain(name) for name in wanted.get("drop") or ()}
    added = {_plain(name) for name in wanted.get("add") or ()}
    if "ALL" in added:
        raise ConfigProblem("CreateContainerConfigError", "capabilities.add: ALL is given to no sandbox")
    kept = set() if "ALL" in dropped else {name for name in CAPABILITIES if name not in dropped}
    return sorted(kept | added)


def _plain(name: str) -> str:
    return name.upper().removeprefix("CAP_")


def _resources(resources: Raw) -> Json:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    found: Json = {"pids": {"limit": PROCESSES}}
    cpu: Json = {}
    if "cpu" in limits:
        cpu = {"quota": max(1_000, nanos(limits["cpu"]) * PERIOD // quantity.NANO), "period": PERIOD}
    if "cpu" in requests:
        cpu["shares"] = max(2, nanos(requests["cpu"]) * 1024 // quantity.NANO)
    if cpu:
        found["cpu"] = cpu
    if "memory" in limits:
        found["memory"] = {"limit": nanos(limits["memory"]) // quantity.NANO}
    return found


def nanos(amount: object) -> int:
    """A quantity in thousand-millionths of its unit."""
    return quantity.parse(str(amount)).nanos


def _mount(destination: str, type: str, source: str, *options: str) -> Json:
    return {"destination": destination, "type": type, "source": source, "options": list(options)}


def _system() -> list[Json]:
    return [
        _mount("/proc", "proc", "proc"),
        _mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        _mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666"),
        _mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),  # noqa: S108
        _mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        _mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
    ]


def _disks(image: Image) -> list[Json]:
    """What the host's root has besides the image: its further disks, and folders of the container's own."""
    if image.root != Path("/"):
        return []
    scratch = [_mount(path, "tmpfs", "tmpfs", "nosuid", "nodev", SCRATCH_MODE) for path in image.scratch]
    disks = [_bind(path, path, readonly=True) for path in image.disks]
    return [*disks, *scratch, _mount("/run", "tmpfs", "tmpfs", "mode=755")]


def _bind(source: str, destination: str, *, readonly: bool) -> Json:
    return _mount(destination, "bind", source, "rbind", "ro" if readonly else "rw")
