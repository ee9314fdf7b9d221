"""``sekisho images authorize``: whether images may run by a policy, with every rule and attestation tried."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sekisho.diag.report import ENVIRONMENT, REFUSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.diag import Diagnostic
    from sekisho.images.authorize import Answer


@click.command(
    epilog="Example: sekisho images authorize --policy policy.yaml --attestor attestors/ --evidence store/ "
    "--namespace shop gcr.io/shop/cart@sha256:..."
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("--policy", "policy_file", required=True, metavar="FILE", help="Binary Authorization policy.")
@click.option("--attestor", "attestors", multiple=True, metavar="PATH", help="Attestors; repeatable.")
@click.option("--evidence", multiple=True, metavar="PATH", help="Occurrences as JSON; repeatable.")
@click.option(
    "--system-policy",
    "system",
    metavar="FILE",
    help="Google's system policy, exported; counts where ENABLEd.",
)
@click.option("--namespace", default="", help="Namespace that the images are to run in.")
@click.option("--service-account", default="", help="Service account that they run as.")
@click.option("--cluster", default="", metavar="LOCATION.NAME", help="Cluster that they run on.")
@click.option(
    "--identity-match",
    type=click.Choice(["digestOnly", "repository"]),
    default="digestOnly",
    show_default=True,
    help="What of an attestation must agree with the image.",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def command(
    *,
    images: tuple[str, ...],
    policy_file: str,
    attestors: tuple[str, ...],
    evidence: tuple[str, ...],
    system: str | None,
    identity_match: str,
    output: str,
    **place: str,
) -> int:
    """Say whether images may run by a Binary Authorization policy, and why.

    Nothing is fetched: attestations come from --evidence. Exit status 4 if an image is refused, 3 if it could
    not be asked, 0 if all may run or are refused in dry run only.
    """
    from sekisho.cli.images.files import read_evidence, read_policy_file, read_trust
    from sekisho.cli.images.options import ImageFiles
    from sekisho.images.authorize import attestors_asked, authorize
    from sekisho.images.google.policy import Place
    from sekisho.oci import parse_reference

    references = [parse_reference(text) for text in images]
    policy = read_policy_file(policy_file)
    trust = read_trust(
        ImageFiles(policy=policy_file, attestors=attestors, system=system or "", identity=identity_match)
    )
    store, problems = read_evidence(evidence)
    where = Place(**place)
    answers: list[Answer] = []
    for image in references:
        asked = [
            trust.attestors[name]
            for name in attestors_asked(image, policy, where, trust)
            if name in trust.attestors
        ]
        found = {row.name: store.about(row.note, image) for row in asked}
        answers.append(authorize(image, policy, found, place=where, trust=trust, now=datetime.now(UTC)))
    tell(problems)
    if output == "json":
        print(json.dumps({"images": [row.to_json() for row in answers]}, indent=2))
    else:
        print("\n".join(_text(row) for row in answers))
    return _status(answers)


def _status(answers: Sequence[Answer]) -> int:
    from sekisho.images.attest import Outcome

    if any(row.blocks for row in answers):
        return REFUSED
    return ENVIRONMENT if any(row.outcome is Outcome.COULD_NOT_ASK for row in answers) else 0


def _text(answer: Answer) -> str:
    """An answer for people: the verdict, the rules tried, what convinced or what did not."""
    dry = " (dry run: it would run)" if answer.outcome.value == "deny" and not answer.blocks else ""
    lines = [f"{answer.image}: {answer.outcome.value}{dry}"]
    if answer.message:
        lines.append(f"  {answer.message}")
    lines += [f"  {row.rule}: {row.result}" for row in answer.steps]
    for row in answer.attestors:
        lines += [f"  {row.attestor}: attested by {yes.where} with key {yes.key_id}" for yes in row.accepted]
        for no in row.rejections:
            lines.append(f"  {row.attestor}: {no.where}: {no.message}")
    return "\n".join(lines)


def tell(problems: Sequence[Diagnostic]) -> None:
    """Warnings, on standard error."""
    if not problems:
        return
    from sekisho.diag import Report
    from sekisho.diag.render.text import format_finding, use_colour

    for problem in Report.of(problems).findings:
        sys.stderr.write(format_finding(problem, colour=use_colour(sys.stderr)))
