"""The object ``linux`` of a config.json."""

from __future__ import annotations

import os

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime.fields import Fields, wrong
from sekisho.sandbox.spec import Device, IdMap, Limits, Namespaces, Network, SandboxSpec, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

KINDS: Final = {
    "pid": "pid",
    "network": "net",
    "mount": "mnt",
    "ipc": "ipc",
    "uts": "uts",
    "user": "user",
    "cgroup": "cgroup",
    "time": "time",
}
"""The kinds of namespaces, and what /proc calls them."""

HOSTNAME_MOST: Final = 64
"""Bytes of a host name; without one a container is called by its id, for the host's name is not shown."""

NEEDED: Final = ("pid", "mount")
"""A sandbox has these of its own; in others it may be a guest."""

HARMLESS: Final = frozenset(((1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)))
"""null, zero, full, random, urandom, tty, ptmx: device numbers behind which there is no hardware."""

PROPAGATIONS: Final = frozenset(
    ("", "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable")
)

SYSCTL: Final = ("net.", "kernel.shm", "kernel.msg", "fs.mqueue.")
SYSCTL_NAMES: Final = {"kernel.sem": "ipc", "kernel.hostname": "uts", "kernel.domainname": "uts"}
"""Settings that a namespace has for itself; all others are the host's."""

REFUSED: Final = {
    "mountLabel": "SELinux labels are not supported by sandboxes",
    "netDevices": "network devices cannot be moved into a sandbox",
    "memoryPolicy": "placement over memory nodes is not supported by sandboxes",
}
IGNORED: Final = {
    "seccomp": "a sandbox has a filter of its own, for a kernel of its own",
    "personality": "it is that of x86-64",
    "intelRdt": "it cannot be set from a sandbox",
    "timeOffsets": "the clocks are the host's",
}
IGNORED_RESOURCES: Final = {
    "devices": "there are no devices of the host in a sandbox",
    "blockIO": "block devices are not limited",
    "hugepageLimits": "there are no huge pages in a sandbox",
    "network": "classes and priorities of network traffic are not set",
    "rdma": "there is no RDMA in a sandbox",
}


def extend(spec: SandboxSpec, fields: Fields, warnings: list[str]) -> SandboxSpec:
    """The specification with what ``linux`` says. SandboxError SBX121 or SBX122."""
    for name, reason in REFUSED.items():
        if fields.value.get(name):
            raise SandboxError("SBX121", f"config.json: {fields.place(name)}: {reason}")
    for name, reason in IGNORED.items():
        if fields.has(name):
            warnings.append(f"config.json: {fields.place(name)} has no effect: {reason}")
    resources = fields.fields("resources")
    for name, reason in IGNORED_RESOURCES.items():
        if resources.value.get(name):
            warnings.append(f"config.json: {resources.place(name)} has no effect: {reason}")
    propagation = fields.text("rootfsPropagation")
    if propagation not in PROPAGATIONS:
        raise wrong(fields.place("rootfsPropagation"), "a kind of propagation")
    namespaces = _namespaces(fields)
    return replace(
        spec,
        hostname=spec.hostname or (spec.id[:HOSTNAME_MOST] if "uts" in namespaces.new else ""),
        namespaces=namespaces,
        network=_network(namespaces),
        devices=tuple(_device(item) for item in fields.each("devices")),
        uid_maps=_maps(fields, "uidMappings", namespaces),
        gid_maps=_maps(fields, "gidMappings", namespaces),
        limits=decode_limits(resources),
        cgroup=fields.text("cgroupsPath"),
        masked_paths=_paths(fields, "maskedPaths"),
        readonly_paths=_paths(fields, "readonlyPaths"),
        sysctl=_sysctl(fields, namespaces),
        root_propagation=propagation,
    )


def _namespaces(fields: Fields) -> Namespaces:
    new, joined = set(), {}
    for item in fields.each("namespaces"):
        kind, path = item.needed("type"), item.text("path")
        if kind not in KINDS:
            raise wrong(item.place("type"), f"one of {', '.join(KINDS)}")
        if kind in new or kind in joined:
            raise wrong(item.place("type"), f"{kind} only once")
        if path:
            _check_namespace(item, kind, path)
            joined[kind] = path
        else:
            new.add(kind)
    for kind in NEEDED:
        if kind not in new:
            how = "join another one" if kind in joined else "be the host's"
            raise SandboxError("SBX121", f"a sandbox has its own {kind} namespace; it cannot {how}")
    if "user" in joined:
        raise SandboxError("SBX121", "a sandbox has its own user namespace; it cannot join another one")
    return Namespaces(new=frozenset(new), joined=joined)


def _check_namespace(fields: Fields, kind: str, path: str) -> None:
    """A namespace to join is there, and of that kind."""
    if not path.startswith("/"):
        raise wrong(fields.place("path"), "an absolute path")
    from fcntl import ioctl

    ns_get_nstype = 0xB703
    types = {
        0x0002_0000: "mount", 0x0200_0000: "cgroup", 0x0400_0000: "uts", 0x0800_0000: "ipc",
        0x1000_0000: "user", 0x2000_0000: "pid", 0x4000_0000: "network", 0x0000_0080: "time",
    }  # fmt: skip
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SandboxError(
            "SBX122", f"config.json: {fields.place('path')} {path} cannot be opened: {error.strerror}"
        ) from None
    try:
        found = types.get(ioctl(fd, ns_get_nstype), "")
    except OSError:
        found = ""
    finally:
        os.close(fd)
    if found != kind:
        raise wrong(fields.place("path"), f"a {kind} namespace; {path} is {found or 'none'}")


def _network(namespaces: Namespaces) -> Network:
    """A namespace of its own has loopback alone; in another's, the sockets are that one's."""
    return Network(mode="none" if "network" in namespaces.new else "host")


def _device(fields: Fields) -> Device:
    path, type = fields.needed("path"), fields.needed("type")
    if not path.startswith("/"):
        raise wrong(fields.place("path"), "an absolute path")
    if type not in ("c", "b", "u", "p"):
        raise wrong(fields.place("type"), "c, b, u or p")
    major, minor = fields.count("major"), fields.count("minor")
    if type != "p" and (type == "b" or (major, minor) not in HARMLESS):
        raise SandboxError(
            "SBX121",
            f"config.json: {fields.at}: {path} ({type} {major}:{minor}) is a device of the host",
        )
    mode = fields.number("fileMode")
    return Device(
        path=path,
        type="c" if type == "u" else type,
        major=major,
        minor=minor,
        mode=0o666 if mode is None else mode & 0o777,
        uid=fields.count("uid"),
        gid=fields.count("gid"),
    )


def _maps(fields: Fields, name: str, namespaces: Namespaces) -> tuple[IdMap, ...]:
    found = []
    for item in fields.each(name):
        size = item.count("size")
        if not size:
            raise wrong(item.place("size"), "greater than zero")
        found.append(IdMap(inside=item.count("containerID"), outside=item.count("hostID"), size=size))
    if found and "user" not in namespaces.new:
        raise wrong(fields.place(name), "without effect unless there is a user namespace")
    return tuple(found)


def decode_limits(fields: Fields) -> Limits:
    """The object ``linux.resources``, which ``update --resources`` has in a file of its own."""
    memory, cpu, pids = fields.fields("memory"), fields.fields("cpu"), fields.fields("pids")
    unified = fields.pairs("unified")
    limits = Limits(
        memory=_amount(memory, "limit"),
        memory_swap=_amount(memory, "swap"),
        memory_reservation=_amount(memory, "reservation"),
        cpu_quota=_amount(cpu, "quota"),
        cpu_period=cpu.count("period") or None,
        cpu_shares=cpu.count("shares") or None,
        cpuset_cpus=cpu.text("cpus"),
        cpuset_mems=cpu.text("mems"),
        pids=_amount(pids, "limit"),
    )
    return _with_unified(limits, unified, fields)


def _amount(fields: Fields, name: str) -> int | None:
    """A limit; 0 is 'not set', as engines write it, negative is unlimited."""
    value = fields.number(name)
    return None if not value else max(value, -1)


def _with_unified(limits: Limits, unified: dict[str, str], fields: Fields) -> Limits:
    """Settings of cgroup version 2 by their own names, as far as they are limits that we know."""
    names = {"memory.max": "memory", "memory.low": "memory_reservation", "pids.max": "pids"}
    changes: dict[str, object] = {}
    for name, value in unified.items():
        if name == "cpu.max":
            quota, _, period = value.partition(" ")
            changes["cpu_quota"] = -1 if quota == "max" else _digits(quota, fields, name)
            changes["cpu_period"] = _digits(period or "100000", fields, name)
        elif name in names:
            changes[names[name]] = -1 if value == "max" else _digits(value, fields, name)
        else:
            raise SandboxError("SBX121", f"config.json: {fields.place('unified')}: {name} is not supported")
    return replace(limits, **changes) if changes else limits


def _digits(text: str, fields: Fields, name: str) -> int:
    if not text.isdigit():
        raise wrong(f"{fields.place('unified')}.{name}", "a number or max")
    return int(text)


def _paths(fields: Fields, name: str) -> tuple[str, ...]:
    paths = fields.texts(name)
    for index, path in enumerate(paths):
        if not path.startswith("/"):
            raise wrong(f"{fields.place(name)}[{index}]", "an absolute path")
    return paths


def _sysctl(fields: Fields, namespaces: Namespaces) -> dict[str, str]:
    """Settings of the sandbox's own namespaces; those of the host are refused."""
    found = fields.pairs("sysctl")
    for name in found:
        dotted = name.replace("/", ".")
        kind = SYSCTL_NAMES.get(dotted, "network" if dotted.startswith("net.") else "ipc")
        known = dotted in SYSCTL_NAMES or dotted.startswith(SYSCTL)
        if not known or ".." in dotted or kind not in namespaces.new:
            raise SandboxError("SBX121", f"config.json: linux.sysctl.{name} is a setting of the host")
    return found
