"""Which files images are authorized by: options of commands, and keys of ``sekisho.yaml``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sekisho.cli.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFiles:
    """The policy, and what it refers to. ``identity`` is what of an attestation must agree with the image.

    Without a policy the evidence is for Kritis' policies among the manifests.
    """

    policy: str = ""
    attestors: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    system: str = ""
    identity: str = "digestOnly"
    cluster: str = ""


def image_options(function: Callable[..., int]) -> Callable[..., int]:
    """``--image-policy``, ``--attestor``, ``--evidence``: the command gets them as ``images``, or None."""

    @wraps(function)
    def command(
        *, image_policy: str, attestors: tuple[str, ...], evidence: tuple[str, ...], **more: Any
    ) -> int:
        if not image_policy and attestors:
            raise click.UsageError("--attestor goes with --image-policy")
        files = ImageFiles(policy=image_policy, attestors=attestors, evidence=evidence)
        return function(images=files if image_policy or evidence else None, **more)

    for option in reversed(
        (
            click.option(
                "--image-policy",
                default="",
                metavar="FILE",
                help="Binary Authorization policy by which images are authorized.",
            ),
            click.option(
                "--attestor", "attestors", multiple=True, metavar="PATH", help="Its attestors; repeatable."
            ),
            click.option(
                "--evidence", multiple=True, metavar="PATH", help="Attestations as JSON; repeatable."
            ),
        )
    ):
        command = option(command)
    return command


def image_files(given: ImageFiles | None, settings: Settings) -> ImageFiles | None:
    """What the command was given, else what the project file says."""
    if given is not None or not (settings.image_policy or settings.evidence):
        return given
    return ImageFiles(
        policy=settings.image_policy,
        attestors=settings.attestors,
        evidence=settings.evidence,
        system=settings.system_policy,
        cluster=settings.cluster,
    )
