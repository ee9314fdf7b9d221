"""A sandbox that sees the host's files: read-only, with what it writes in an overlay, and without its
secrets.
"""

from __future__ import annotations

import os

from sekisho.sandbox.spec import Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

SYSTEM: Final = (
    Mount(destination="/proc", type="proc"),
    Mount(destination="/dev", type="tmpfs"),
    Mount(destination="/dev/pts", type="devpts"),
    Mount(destination="/dev/shm", type="tmpfs", options=("noexec", "mode=1777")),  # noqa: S108  the sandbox's own
    Mount(destination="/dev/mqueue", type="mqueue"),
    Mount(destination="/sys", type="sysfs", options=("ro",)),
    Mount(destination="/run", type="tmpfs", options=("mode=0755",)),
)
"""What replaces the host's own: processes, devices, the kernel's view, and the sockets of its services."""

FILE_SYSTEMS: Final = frozenset(
    ("btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "overlay", "reiserfs", "tmpfs", "vfat", "xfs", "zfs")
)
"""Mounts of these kinds get an overlay of their own; network and user-space file systems are left out."""

REPLACED: Final = ("/proc", "/dev", "/sys", "/run", "/var/run")

SECRET_FILES: Final = (
    "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d",
    "/etc/kubernetes", "/etc/krb5.keytab", "/etc/ssl/private", "/etc/wireguard", "/etc/ipsec.secrets",
    "/var/lib/kubelet", "/var/lib/docker", "/var/lib/containerd", "/var/lib/etcd", "/var/spool/cron",
    "/.dockerenv",
)  # fmt: skip
SECRETS_OF_HOME: Final = (
    ".ssh", ".gnupg", ".aws", ".azure", ".config/gcloud", ".config/gh", ".config/containers", ".kube",
    ".docker", ".netrc", ".git-credentials", ".pgpass", ".pypirc", ".npmrc", ".vault-token",
    ".password-store", ".mozilla", ".config/google-chrome", ".local/share/keyrings", ".terraform.d",
    ".cargo/credentials.toml", ".bash_history",
)  # fmt: skip
"""What a program that nobody trusts must not read, though its user could: keys, tokens, histories."""

ENVIRONMENT: Final = frozenset(
    ("COLORTERM", "HOME", "LANG", "LANGUAGE", "LOGNAME", "NO_COLOR", "PATH", "SHELL", "TERM", "TZ", "USER")
)
"""The variables that are passed on unasked; others may be tokens."""


def mounts() -> tuple[Mount, ...]:
    """The mounts beside the root: an overlay for each disk of the host, then what replaces the host's own."""
    return (*_disks(), *SYSTEM)


def _disks() -> Iterator[Mount]:
    with open("/proc/self/mounts") as file:
        rows = [line.split(" ")[1:3] for line in file]
    seen = {"/"}
    for where, kind in rows:
        path = where.encode().decode("unicode_escape") if "\\" in where else where
        if path in seen or kind not in FILE_SYSTEMS:
            continue
        if any(f"{path}/".startswith(f"{top}/") for top in REPLACED) or not os.path.isdir(path):
            continue
        seen.add(path)
        yield Mount(destination=path, type="overlay", source=path, options=("nofail",))


def secrets() -> tuple[str, ...]:
    """The paths to hide, for all users of this machine."""
    homes = {"/root", os.path.expanduser("~")}
    try:
        homes |= {entry.path for entry in os.scandir("/home") if entry.is_dir(follow_symlinks=False)}
    except OSError:
        pass  # there is no /home
    keys = []
    try:
        keys = [entry.path for entry in os.scandir("/etc/ssh") if entry.name.endswith("_key")]
    except OSError:
        pass  # nor a server
    of_homes = (f"{home}/{name}" for home in sorted(homes) for name in SECRETS_OF_HOME)
    return (*SECRET_FILES, *keys, *of_homes)


def environment(extra: Iterable[str]) -> tuple[str, ...]:
    """The environment: the harmless variables, and those of ``extra`` (``NAME`` passes one on,
    ``NAME=VALUE``).
    """
    found = {
        name: value for name, value in os.environ.items() if name in ENVIRONMENT or name.startswith("LC_")
    }
    for item in extra:
        name, given, value = item.partition("=")
        if given:
            found[name] = value
        elif name in os.environ:
            found[name] = os.environ[name]
    return tuple(f"{name}={value}" for name, value in found.items())
