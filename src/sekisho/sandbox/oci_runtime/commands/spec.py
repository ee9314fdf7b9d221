"""``spec``: write a config.json to begin with."""

from __future__ import annotations

import os

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import decode, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context

MASKED = ("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/sched_debug", "/sys/firmware", "/proc/scsi")  # fmt: skip
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def _mount(destination: str, type: str, source: str, *options: str) -> dict[str, object]:
    return {"destination": destination, "type": type, "source": source, "options": list(options)}


def template(cwd: str = "/", netns: str = "") -> dict[str, object]:
    """A container that runs a shell, read-only, with no network but loopback."""
    network: dict[str, object] = {"type": "network"}
    if netns:
        network["path"] = netns
    kinds = ("pid", "ipc", "uts", "mount", "cgroup")
    return {
        "ociVersion": decode.SPEC_VERSION,
        "process": {
            "terminal": True,
            "user": {"uid": 0, "gid": 0},
            "args": ["sh"],
            "env": [f"PATH={os.defpath}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin", "TERM=xterm"],
            "cwd": cwd,
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "sandbox",
        "mounts": [
            _mount("/proc", "proc", "proc"),
            _mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            _mount(
                "/dev/pts",
                "devpts",
                "devpts",
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
            ),
            _mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),  # noqa: S108
            _mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        ],
        "linux": {
            "namespaces": [network, *({"type": kind} for kind in kinds)],
            "maskedPaths": list(MASKED),
            "readonlyPaths": list(READONLY),
        },
    }


def command(context: Context) -> int:
    """Into --bundle, or the working directory; a file that is there is kept."""
    path = os.path.join(context.call.text("bundle", "."), "config.json")
    value = template(context.call.text("cwd", "/"), context.call.text("netns"))
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        raise SandboxError("SBX112", f"{path} exists", "remove it first") from None
    with os.fdopen(fd, "w") as file:
        file.write(text.write(value, "    ") + "\n")
    return 0
