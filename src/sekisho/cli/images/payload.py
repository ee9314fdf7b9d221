"""``sekisho images payload``: the bytes to sign, as ``gcloud … create-signature-payload`` prints them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sekisho.oci import Reference


@click.command(epilog="Example: sekisho images payload gcr.io/shop/cart@sha256:... > payload.json")
@click.argument("image", metavar="IMAGE")
def command(*, image: str) -> int:
    """Print the payload that says of an image what an attestor attests; sign exactly these bytes."""
    from sekisho.images.evidence.simplesigning import google_payload

    reference = digested(image)
    sys.stdout.buffer.write(google_payload(reference.name, reference.digest))
    sys.stdout.flush()
    return 0


def digested(image: str) -> Reference:
    """The image, by its digest alone. Raises UsageError where none is written: a tag is never evidence."""
    from sekisho.oci import parse_reference

    reference = parse_reference(image)
    if not reference.digest.startswith("sha256:"):
        raise click.UsageError(f"{image} has no sha256 digest; what a tag names may change")
    return reference.at(reference.digest)
