"""The workload's mount tree, built by the sandbox's process 1 before it gives up every right.

Every place inside the new root is found by openat2 with RESOLVE_IN_ROOT, so a symbolic link that an image
brings along cannot lead a mount outside.
"""

from __future__ import annotations

import errno
import os
import stat

from sekisho.sandbox import mount_native
from sekisho.sandbox.abi.flags import (
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_RELATIME,
    O_CLOEXEC,
    O_DIRECTORY,
    O_PATH,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
)
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.files_native import Opener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Final

    from sekisho.sandbox.spec import Device, Mount, SandboxSpec

STAGES: Final = ("/sys", "/mnt", "/media", "/srv", "/opt", "/run", "/tmp")  # noqa: S108  only mounted over
"""Where the new root is put together, in the sandbox's own mount namespace: the first that hides nothing
needed.
"""

FLAGS: Final = {
    "ro": MS_RDONLY,
    "nosuid": MS_NOSUID,
    "nodev": MS_NODEV,
    "noexec": MS_NOEXEC,
    "relatime": MS_RELATIME,
}
"""Options of mount(8) that are flags and that we know; rw, suid and the like are what is there without
them.
"""

NEUTRAL: Final = frozenset(
    (
        "async", "bind", "defaults", "dev", "diratime", "exec", "noatime", "nodiratime", "nofail",
        "norelatime", "private",
        "rbind", "rprivate", "rshared", "rslave", "rw", "shared", "slave", "strictatime", "suid", "sync",
    )
)  # fmt: skip

NODES: Final = (
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
)
LINKS: Final = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)

EMPTY: Final = frozenset(("/dev", "/lost+found", "/proc", "/run", "/sys"))
"""Directories of the host's root that a sandbox without root gets empty."""

KERNEL_FILES: Final = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs")
"""What speaks to the host's kernel; read-only even for those who get past the Sentry."""


def disk_folder(number: int) -> str:
    """Where, below what keeps a root's writes, those to a further overlay are: the first, the second, ..."""
    return f"disks/{number}"


class Tree:
    """A new root under construction.

    ``kept`` is a descriptor of the directory that holds what is written: ``upper`` for the root,
    ``disk_folder`` for each further mount of type overlay; -1 if nothing is kept apart.
    """

    def __init__(self, spec: SandboxSpec) -> None:
        self._spec = spec
        self._opener = Opener()
        self._stage = _stage([spec.root.path, spec.root.writes, *(mount.source for mount in spec.mounts)])
        self._root = -1
        self._overlays = 0
        self._keep = self._stage
        self.kept = -1

    def build(self) -> None:
        """Build it and make it this process's root."""
        mount_native.make_private()
        self._make_root()
        self._root = os.open(f"{self._stage}/root", O_PATH | O_DIRECTORY | O_CLOEXEC)
        for mount in self._spec.mounts:
            self._mount(mount)
        self._device_nodes()
        for device in self._spec.devices:
            self._device(device)
        self._close(KERNEL_FILES if self._has("proc") else (), self._spec.readonly_paths)
        for path in self._spec.masked_paths:
            self._mask(path)
        if self._spec.network.mode == "rules":
            self._names()
        if self._spec.root.readonly:
            mount_native.restrict(f"/proc/self/fd/{self._root}", MS_RDONLY, recursive=False)
        os.close(self._root)
        mount_native.pivot(f"{self._stage}/root")

    def _has(self, type: str) -> bool:
        return any(mount.type == type for mount in self._spec.mounts)

    # the root

    def _make_root(self) -> None:
        root, stage = self._spec.root, self._stage
        mount_native.mount("tmpfs", stage, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
        os.mkdir(f"{stage}/root")
        if root.writes == "host" or root.readonly:
            mount_native.bind(root.path, f"{stage}/root", MS_NOSUID | MS_NODEV)
            return
        keep = stage if root.writes == "memory" else root.writes
        if os.geteuid() and root.path == "/":
            self._pieces(keep, f"{stage}/root")
        else:
            self._overlay(root.path, f"{keep}/upper", f"{keep}/work", f"{stage}/root")
        self.kept = os.open(keep, os.O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        self._keep = keep

    def _pieces(self, keep: str, target: str) -> None:
        """Show the host's root as an overlay for each directory in it.

        Without root the kernel does not let an overlay take off what is mounted over parts of its lower
        directory; a directory with mounts of others below it is shown as it is, and cannot be written.
        """
        mount_native.bind(target, target)
        for name in sorted(os.listdir("/")):
            path = f"/{name}"
            if os.path.islink(path):
                os.symlink(os.readlink(path), f"{target}/{name}")
            elif not os.path.isdir(path):
                continue
            else:
                os.mkdir(f"{target}/{name}", 0o755)
                if path in EMPTY:
                    continue
                try:
                    self._overlay(path, f"{keep}/upper/{name}", f"{keep}/work/{name}", f"{target}/{name}")
                except (SandboxError, PermissionError):
                    self._as_it_is(path, f"{target}/{name}")

    def _as_it_is(self, path: str, target: str) -> None:
        if path == "/tmp":  # noqa: S108  programs must be able to write there
            mount_native.mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
        else:
            mount_native.bind(path, target, MS_RDONLY | MS_NOSUID | MS_NODEV)

    def _overlay(self, lower: str, upper: str, work: str, target: str) -> None:
        """Show ``lower`` at ``target``, with what is written to it in ``upper``."""
        for folder in (upper, work):
            os.makedirs(folder, exist_ok=True)
        _copy_owner(lower, upper)
        options = f"lowerdir={_escape(lower)},upperdir={_escape(upper)},workdir={_escape(work)}"
        options += ",userxattr" if os.geteuid() else ",xino=on,index=on,redirect_dir=on"
        try:
            mount_native.mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV, options)
        except OSError as error:
            raise SandboxError(
                "SBX010",
                f"the kernel cannot lay an overlay over {lower}: {error.strerror}",
                "choose another directory for --overlay, or give the sandbox a root of its own",
            ) from None

    # places inside

    def _place(self, path: str, *, directory: bool) -> int:
        """A handle on a path inside the new root, made if it is missing."""
        try:
            return self._find(path)
        except FileNotFoundError:
            pass
        parts = [part for part in path.split("/") if part]
        at = os.dup(self._root)
        try:
            for place, part in enumerate(parts):
                walked = "/".join(parts[: place + 1])
                try:
                    found = self._find(walked)
                except FileNotFoundError:
                    if place + 1 < len(parts) or directory:
                        os.mkdir(part, 0o755, dir_fd=at)
                    else:
                        os.close(os.open(part, os.O_CREAT | os.O_EXCL | O_CLOEXEC, 0o644, dir_fd=at))
                    found = self._find(walked)
                os.close(at)
                at = found
        except BaseException:
            os.close(at)
            raise
        return at

    def _find(self, path: str) -> int:
        resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
        return self._opener.open(
            self._root, os.fsencode(path.lstrip("/") or "."), O_PATH | O_CLOEXEC, 0, resolve
        )

    # mounts

    def _mount(self, mount: Mount) -> None:
        try:
            self._mount_one(mount)
        except OSError as error:
            if "nofail" in mount.options:
                return
            raise SandboxError(
                "SBX011",
                f"cannot mount {mount.source or mount.type} on {mount.destination}: {error.strerror}",
            ) from None

    def _mount_one(self, mount: Mount) -> None:
        flags, data = _options(mount.options)
        directory = mount.type != "bind" or os.path.isdir(mount.source)
        fd = self._place(mount.destination, directory=directory)
        try:
            target = f"/proc/self/fd/{fd}"
            if mount.type == "bind":
                recursive = "bind" not in mount.options
                mount_native.bind(mount.source, target, flags | MS_NOSUID | MS_NODEV, recursive=recursive)
            elif mount.type == "overlay":
                keep = f"{self._keep}/{disk_folder(self._overlays)}"
                self._overlays += 1
                try:
                    self._overlay(mount.source, f"{keep}/upper", f"{keep}/work", target)
                except (SandboxError, PermissionError):
                    # Overlays cannot be stacked for ever, nor laid over everything: then it is only read.
                    mount_native.bind(mount.source, target, MS_RDONLY | MS_NOSUID | MS_NODEV)
            elif mount.type == "proc":
                mount_native.mount("proc", target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
            elif mount.type == "devpts":
                extra = ",".join(item for item in data if not item.startswith("gid="))
                extra = extra or "newinstance,ptmxmode=0666,mode=0620"
                mount_native.mount("devpts", target, "devpts", MS_NOSUID | MS_NOEXEC, extra)
            elif mount.destination.rstrip("/") == "/dev":
                mount_native.mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=65536k")
            elif mount.type == "tmpfs":
                source = mount.source.rpartition("/")[2] or "tmpfs"
                mount_native.mount(source, target, "tmpfs", flags | MS_NOSUID | MS_NODEV, ",".join(data))
            else:  # what would show the host's kernel begins empty; some of it the Sentry fills
                closed = MS_NOSUID | MS_NODEV | MS_NOEXEC
                mount_native.mount(mount.type, target, "tmpfs", closed, "mode=0755")
        finally:
            os.close(fd)

    def _close(self, *paths: Iterable[str]) -> None:
        """Make paths read-only, where there are such."""
        for path in (path for group in paths for path in group):
            try:
                fd = self._find(path)
            except OSError:
                continue
            try:
                place = f"/proc/self/fd/{fd}"
                mount_native.bind(place, place, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
            finally:
                os.close(fd)

    def _names(self) -> None:
        """Lay a file over the one that says where names are asked for."""
        from sekisho.sandbox.network.addresses import resolver_address
        from sekisho.sandbox.probe.hosts import resolv_conf

        made = f"{self._stage}/resolv.conf"
        with open(made, "w", encoding="ascii") as file:
            search = self._spec.network.search
            file.write(resolv_conf([resolver_address(self._spec)], search, ("ndots:5",) if search else ()))
        os.chmod(made, 0o644)
        try:
            fd = self._place("/etc/resolv.conf", directory=False)
        except OSError:
            return  # a root that is read-only and has none: its programs ask 127.0.0.1 then
        try:
            mount_native.bind(made, f"/proc/self/fd/{fd}", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
        finally:
            os.close(fd)

    def _mask(self, path: str) -> None:
        """Lay an empty directory or an empty file over a path, where there is such."""
        try:
            fd = self._find(path)
        except OSError:
            return
        try:
            target = f"/proc/self/fd/{fd}"
            if stat.S_ISDIR(os.fstat(fd).st_mode):
                flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
                mount_native.mount("tmpfs", target, "tmpfs", flags, "size=0,nr_inodes=1,mode=0555")
            else:
                mount_native.bind("/dev/null", target, 0, recursive=False)
        finally:
            os.close(fd)

    # devices

    def _device_nodes(self) -> None:
        if not any(mount.destination.rstrip("/") == "/dev" for mount in self._spec.mounts):
            return
        dev = self._place("/dev", directory=True)
        try:
            for name, major, minor in NODES:
                self._node(dev, name, os.makedev(major, minor))
            for name, text in LINKS:
                try:
                    os.symlink(text, name, dir_fd=dev)
                except FileExistsError:
                    continue
        finally:
            os.close(dev)

    def _device(self, device: Device) -> None:
        """A node that the specification asks for: a FIFO, or a device without hardware behind it."""
        folder, _, name = device.path.rpartition("/")
        fd = self._place(folder or "/", directory=True)
        try:
            kind = stat.S_IFIFO if device.type == "p" else stat.S_IFCHR
            os.mknod(name, kind | device.mode, os.makedev(device.major, device.minor), dir_fd=fd)
            os.chmod(name, device.mode, dir_fd=fd)
            os.chown(name, device.uid, device.gid, dir_fd=fd)
        except FileExistsError:
            return  # one of those that every sandbox has
        except OSError as error:
            raise SandboxError("SBX011", f"cannot make {device.path}: {error.strerror}") from None
        finally:
            os.close(fd)

    def _node(self, dev: int, name: str, device: int) -> None:
        try:
            os.mknod(name, stat.S_IFCHR | 0o666, device, dir_fd=dev)
            os.chmod(name, 0o666, dir_fd=dev)  # noqa: S103  as everywhere
        except FileExistsError:
            return
        except PermissionError:  # without root: the host's own node
            os.close(os.open(name, os.O_CREAT | O_CLOEXEC, 0o666, dir_fd=dev))
            mount_native.bind(f"/dev/{name}", f"/proc/self/fd/{dev}/{name}", recursive=False)


def _stage(needed: Sequence[str]) -> str:
    for stage in STAGES:
        if os.path.isdir(stage) and not any(f"{path}/".startswith(f"{stage}/") for path in needed):
            return stage
    raise SandboxError("SBX012", "there is no directory to build the sandbox's tree on")


def _options(options: Iterable[str]) -> tuple[int, list[str]]:
    """mount(8)'s words as flags, and what is left for the file system."""
    flags, data = 0, []
    for option in options:
        if option in FLAGS:
            flags |= FLAGS[option]
        elif option not in NEUTRAL:
            data.append(option)
    return flags, data


def _escape(path: str) -> str:
    """A path for the overlay's options, where comma, colon and backslash have meanings."""
    for odd in ("\\", ":", ","):
        path = path.replace(odd, f"\\{odd}")
    return path


def _copy_owner(source: str, target: str) -> None:
    """Give the top of an overlay the mode and owner of what lies under it."""
    info = os.stat(source)
    try:
        os.chown(target, info.st_uid, info.st_gid)
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
    os.chmod(target, stat.S_IMODE(info.st_mode))
