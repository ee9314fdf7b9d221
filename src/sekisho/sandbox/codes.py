"""The codes of this package, SBX001-SBX099 and SBX110-SBX129; those of ``doctor`` stand there."""

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

BAD_SETTING: Final = register("SBX018", "the kernel refuses a setting of a namespace")

# The network.
NO_PORT: Final = register("SBX022", "a port that is to be published is not free")

NO_EVENTS: Final = register("SBX023", "a file for what a sandbox tells cannot be written")

# Options.
BAD_OPTION: Final = register("SBX024", "an option of a sandbox is malformed")

# The workload.
NOT_RAISED: Final = register("SBX017", "a limit or score cannot be raised on this machine", blame=_HOST)
NO_DIRECTORY: Final = register("SBX013", "the working directory cannot be entered")
NO_PROGRAM: Final = register("SBX014", "the program of a sandbox is not there")
NOT_EXECUTABLE: Final = register("SBX015", "the program of a sandbox cannot be executed")
TIMED_OUT: Final = register("SBX020", "a sandbox was ended when its time was over", finding=True)
OUT_OF_MEMORY: Final = register(
    "SBX021", "a process of a sandbox was ended at the limit on memory", finding=True
)

# The OCI runtime.
USAGE: Final = register("SBX110", "a command line of the runtime cannot be understood")
BAD_ID: Final = register("SBX111", "this cannot be the id of a container")
EXISTS: Final = register("SBX112", "there is such a container already")
NO_CONTAINER: Final = register("SBX113", "there is no such container", alias="container does not exist")
HALF_MADE: Final = register("SBX114", "a container was not made to the end")
HOOK: Final = register("SBX115", "a hook failed")
CGROUP_PATH: Final = register("SBX116", "the cgroup of a container cannot be used")
FREEZE: Final = register("SBX117", "a container cannot be paused", blame=_HOST)
CONSOLE: Final = register("SBX118", "the terminal of a container has nowhere to go")
WRONG_STATE: Final = register(
    "SBX119", "a container's state does not allow this", alias="container not running"
)
NO_JSON: Final = register("SBX120", "a file of the runtime's is no JSON, or cannot be read")
UNSUPPORTED: Final = register("SBX121", "a configuration asks for what a sandbox does not give")
MALFORMED: Final = register("SBX122", "a field of a configuration is malformed")
NOT_FOUND: Final = register("SBX123", "a container's program is not in its root")
NO_CHECKPOINT: Final = register("SBX126", "sandboxes cannot be checkpointed")
LOOSENS: Final = register("SBX127", "an annotation would loosen a sandbox")

# Tracing.
NO_TRACE: Final = register("SBX025", "programs cannot be traced on this machine", blame=_HOST)

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
        BAD_SETTING,
        NO_PORT,
        BAD_OPTION,
        NO_TRACE,
        NO_EVENTS,
        NOT_RAISED,
        NO_DIRECTORY,
        NO_PROGRAM,
        NOT_EXECUTABLE,
        FAILED,
        TIMED_OUT,
        OUT_OF_MEMORY,
        USAGE,
        BAD_ID,
        EXISTS,
        NO_CONTAINER,
        HALF_MADE,
        HOOK,
        CGROUP_PATH,
        FREEZE,
        CONSOLE,
        WRONG_STATE,
        NO_JSON,
        UNSUPPORTED,
        MALFORMED,
        NOT_FOUND,
        NO_CHECKPOINT,
        LOOSENS,
        BUG,
    )
}
"""What a ``SandboxError`` names."""
