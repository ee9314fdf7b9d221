"""The codes of this package, SBX001-SBX099."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, Code, register

_HOST: Final = Blame.ENVIRONMENT

# The machine.
NO_NAMESPACE: Final = register("SBX001", "this machine does not let a sandbox be made", blame=_HOST)
NO_CGROUP: Final = register("SBX002", "a limit cannot be set, because the cgroup cannot be made", blame=_HOST)

# The tree.
NO_OVERLAY: Final = register("SBX010", "the kernel cannot lay an overlay over the root", blame=_HOST)
NO_MOUNT: Final = register("SBX011", "a mount of the sandbox cannot be made")
NO_STAGE: Final = register("SBX012", "there is no directory to build the sandbox's tree on", blame=_HOST)

# The workload.
NO_DIRECTORY: Final = register("SBX013", "the working directory cannot be entered")
NO_PROGRAM: Final = register("SBX014", "the program of a sandbox is not there")
NOT_EXECUTABLE: Final = register("SBX015", "the program of a sandbox cannot be executed")
TIMED_OUT: Final = register("SBX020", "a sandbox was ended when its time was over", finding=True)
OUT_OF_MEMORY: Final = register(
    "SBX021", "a process of a sandbox was ended at the limit on memory", finding=True
)

# Ourselves.
FAILED: Final = register("SBX019", "a step of making the sandbox failed", blame=_HOST)
BUG: Final = register("SBX099", "the sandbox has a fault of its own", blame=Blame.BUG)

BY_ID: Final[dict[str, Code]] = {
    code.id: code
    for code in (
        NO_NAMESPACE,
        NO_CGROUP,
        NO_OVERLAY,
        NO_MOUNT,
        NO_STAGE,
        NO_DIRECTORY,
        NO_PROGRAM,
        NOT_EXECUTABLE,
        FAILED,
        TIMED_OUT,
        OUT_OF_MEMORY,
        BUG,
    )
}
"""What a ``SandboxError`` names."""
