"""``sekisho images verify``: whether an image is signed by keys, in cosign's ways."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sekisho.cli.images.places import SECONDS
from sekisho.diag.report import ENVIRONMENT

if TYPE_CHECKING:
    from sekisho.images.gather import Gathered, Wanted
    from sekisho.images.signing.keys import PublicKey
    from sekisho.oci import Reference


@click.command(epilog="Example: sekisho images verify --key cosign.pub registry.example/shop/cart:v1")
@click.argument("image", metavar="IMAGE")
@click.option(
    "--key",
    "keys",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Public key (PEM); repeatable.",
)
@click.option(
    "--threshold",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many keys must have signed.",
)
@click.option(
    "--attestation",
    "predicates",
    multiple=True,
    metavar="TYPE",
    help="Ask for an in-toto attestation with a predicate of this type; repeatable.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long the registry may be asked.",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def command(
    *,
    image: str,
    keys: tuple[str, ...],
    threshold: int,
    predicates: tuple[str, ...],
    timeout: float,
    output: str,
) -> int:
    """Verify that an image is signed by keys, with cosign's signatures, bundles or attestations.

    IMAGE is a reference, or a layout or archive (oci:FOLDER:TAG). A tag is resolved to a digest first, which
    is told; everything else is about the digest. Exit status 0 if it verifies, 1 if not, 3 if the registry
    could not be asked.
    """
    from sekisho.images.attest import Authority, Outcome, ask
    from sekisho.images.gather import Wanted
    from sekisho.images.signed import check_attested, check_signed

    authority = Authority(
        name=", ".join(keys),
        keys=tuple(read_key(file) for file in keys),
        check=check_attested(frozenset(predicates)) if predicates else check_signed,
        threshold=threshold,
    )
    wanted = Wanted(signatures=not predicates, attestations=bool(predicates))
    reference, gathered = asyncio.run(_gather(image, wanted, timeout))
    answer = ask(reference, authority, gathered.found, now=datetime.now(UTC))
    rows: dict[str, Any] = {"image": str(reference), **answer.to_json(), "problems": list(gathered.problems)}
    print(json.dumps(rows, indent=2) if output == "json" else _text(rows))
    if answer.outcome is Outcome.COULD_NOT_ASK:
        return ENVIRONMENT
    return 0 if answer.outcome is Outcome.ALLOW else 1


async def _gather(text: str, wanted: Wanted, seconds: float) -> tuple[Reference, Gathered]:
    from sekisho.cli.images.places import opened
    from sekisho.diag import Deadline
    from sekisho.images.gather import gather

    deadline = Deadline.after(seconds)
    async with opened(text, writing=False, deadline=deadline) as (place, reference):
        return reference, await gather(place, reference.digest, wanted, deadline=deadline)


def read_key(file: str) -> PublicKey:
    """A public key that cosign or another tool wrote. Raises UsageError."""
    from sekisho.images.signing.keys import BadKeyError, public_key

    try:
        return public_key(Path(file).read_text(encoding="utf-8", errors="replace"))
    except BadKeyError as error:
        raise click.UsageError(f"{file} cannot be used: {error}") from None


def _text(rows: dict[str, Any]) -> str:
    lines = [f"{rows['image']}: {rows['outcome']}"]
    lines += [f"  {rows['message']}"] if rows["message"] else []
    lines += [f"  signed: {row['attestation']} with key {row['key']}" for row in rows["accepted"]]
    lines += [f"  {row['attestation']}: {row['message']}" for row in rows["rejections"]]
    lines += [f"  {row}" for row in rows["problems"]]
    return "\n".join(lines)
