"""What keeps a Pod or a container from running, as a kubelet names it."""

from __future__ import annotations


class Problem(Exception):
    """``reason`` is a kubelet's word for it, the text says why."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Refusal(Problem):
    """The Pod will never run here."""


class ImageProblem(Problem):
    """The image is not there now."""


class ConfigProblem(Problem):
    """The container cannot be configured now: what it refers to is missing, or cannot be given."""


class StartProblem(Problem):
    """The container could not be started."""
