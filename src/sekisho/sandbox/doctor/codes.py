"""The codes of what a machine lacks: SBX100-SBX109. They are the environment's, and each says what to do."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, register

MACHINE: Final = register("SBX100", "the machine cannot run sandboxes", blame=Blame.ENVIRONMENT)
NOTIFY: Final = register(
    "SBX101", "the kernel cannot hand system calls to the Sentry", blame=Blame.ENVIRONMENT
)
NAMESPACES: Final = register("SBX102", "namespaces cannot be made", blame=Blame.ENVIRONMENT)
TRACING: Final = register("SBX103", "the Sentry may not read the workload's memory", blame=Blame.ENVIRONMENT)
LANDLOCK: Final = register("SBX104", "Landlock is not there", blame=Blame.ENVIRONMENT)
CGROUPS: Final = register("SBX105", "limits cannot be enforced", blame=Blame.ENVIRONMENT)
OVERLAY: Final = register("SBX106", "overlays cannot be mounted", blame=Blame.ENVIRONMENT)
BLOCKED: Final = register("SBX107", "another sandbox blocks what this one needs", blame=Blame.ENVIRONMENT)
OLD: Final = register("SBX108", "the kernel is older than it should be", blame=Blame.ENVIRONMENT)
