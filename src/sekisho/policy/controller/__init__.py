"""The controllers of policies: from a cluster's objects to a snapshot that judges, and back to statuses."""

from sekisho.policy.controller.builder import Builder, Making
from sekisho.policy.controller.controller import Follower, PolicyController
from sekisho.policy.controller.crds import TemplateDefinitions, install
from sekisho.policy.controller.following import leading, tell
from sekisho.policy.controller.generating import Defaults, Generating
from sekisho.policy.controller.snapshot import Snapshot
from sekisho.policy.controller.snapshots import Snapshots

__all__ = [
    "Builder",
    "Defaults",
    "Follower",
    "Generating",
    "Making",
    "PolicyController",
    "Snapshot",
    "Snapshots",
    "TemplateDefinitions",
    "install",
    "leading",
    "tell",
]
