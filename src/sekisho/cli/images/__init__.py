"""``sekisho images``: who must have signed what before it runs."""

from __future__ import annotations

from typing import Final

import click

from sekisho.cli.main import LazyGroup

VERBS: Final = {
    "attest": ("sekisho.cli.images.attest", "Sign what an attestor attests of an image, and store it."),
    "authorize": ("sekisho.cli.images.authorize", "Say whether images may run, and why."),
    "evaluate": ("sekisho.cli.images.evaluate", "Evaluate a platform policy for manifests."),
    "lint": ("sekisho.cli.images.lint", "Warn about what a policy hardly means."),
    "payload": ("sekisho.cli.images.payload", "Print the bytes to sign for an image."),
    "sign": ("sekisho.cli.images.sign", "Sign an image where it is, as cosign does."),
    "verify": ("sekisho.cli.images.verify", "Verify that an image is signed by keys."),
    "verify-bundle": (
        "sekisho.cli.images.verify_bundle",
        "Verify a sigstore bundle by a key or an identity.",
    ),
}


@click.command(
    cls=LazyGroup,
    rows=VERBS,
    epilog="Example: sekisho images authorize --policy policy.yaml gcr.io/shop/cart@sha256:...",
)
def command() -> None:
    """Authorize images as Binary Authorization does: policies, attestors, attestations."""
