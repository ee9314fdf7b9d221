"""``features``: what this runtime can do, in the form of the runtime specification."""

from __future__ import annotations

from sekisho.sandbox.abi.capabilities import NAMES
from sekisho.sandbox.oci_runtime import decode, decode_linux, text, tighten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context

MOUNT_OPTIONS = (
    "async", "bind", "defaults", "dev", "exec", "noatime", "nodev", "nodiratime", "noexec", "norelatime",
    "nosuid", "private", "rbind", "relatime", "ro", "rprivate", "rw", "strictatime", "suid", "sync",
)  # fmt: skip


def features() -> dict[str, object]:
    """See ``features.md`` of the specification."""
    return {
        "ociVersionMin": "1.0.0",
        "ociVersionMax": decode.SPEC_VERSION,
        "hooks": list(decode.STAGES),
        "mountOptions": list(MOUNT_OPTIONS),
        "linux": {
            "namespaces": [kind for kind in decode_linux.KINDS if kind != "time"],
            "capabilities": [f"CAP_{name}" for name in NAMES],
            "cgroup": {"v1": True, "v2": True, "systemd": False, "systemdUser": False, "rdma": False},
            "seccomp": {"enabled": False},
            "apparmor": {"enabled": False},
            "selinux": {"enabled": False},
            "intelRdt": {"enabled": False},
            "mountExtensions": {"idmap": {"enabled": False}},
            "netDevices": {"enabled": False},
        },
        "annotations": {f"{tighten.PREFIX}{name}": says for name, (_, says) in tighten.KNOWN.items()},
        "potentiallyUnsafeConfigAnnotations": [],
    }


def command(context: Context) -> int:
    """One JSON object."""
    context.out(text.write(features(), "  "))
    return 0
