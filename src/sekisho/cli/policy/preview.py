"""``sekisho policy preview``: what enforcing would refuse, whom that hits, and the shortest way there."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sekisho.cli.live import Live, live_options
from sekisho.cli.network import Chosen, provider_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.audit import Comparison
    from sekisho.audit.preview import Policy
    from sekisho.diag import Diagnostic
    from sekisho.policy import Engine


@click.command(epilog="Example: kubectl get all -A -o yaml | sekisho policy preview -p policies/ -")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option(
    "--policies",
    "-p",
    multiple=True,
    metavar="PATH",
    help="Policies to apply that are not to be judged themselves; repeatable.",
)
@click.option(
    "--bundle",
    "bundles",
    multiple=True,
    metavar="BUNDLE",
    help="A bundle of the policy library to apply, such as pod-security-baseline; repeatable.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="OLD",
    help="Policies as they were: say what the change to those of today would change; repeatable.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "rollout"]),
    default="text",
    help="Form of the output; rollout prints Rollouts that make deny safe today.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the policies may take for one object.",
)
@provider_options
@live_options
@click.option("--no-cache", is_flag=True, help="Compile policies anew.")
def command(
    *,
    paths: tuple[str, ...],
    policies: tuple[str, ...],
    bundles: tuple[str, ...],
    against: tuple[str, ...],
    output: str,
    timeout: float,
    external: Chosen,
    live: Live | None,
    no_cache: bool,
) -> int:
    """Say what each rung of enforcement would do to the objects at PATH (files, or -), or of a cluster.

    Nothing is changed. Exit status 1 if something that passes today would be refused: by deny, or with
    --against by the new policies.
    """
    from sekisho.audit import compare, preview
    from sekisho.cli.policy import previewreport
    from sekisho.cli.settings import find_settings
    from sekisho.cli.snapshot import Wanted, gather, read_inputs

    if against and output == "rollout":
        raise click.UsageError("-o rollout does not go with --against")
    settings = find_settings(Path.cwd())
    wanted = Wanted(
        paths=paths,
        policies=(*settings.policies, *policies),
        bundles=(*settings.bundles, *bundles),
        owner_key=settings.owner_key,
        seconds=timeout,
        positions=False,
        external=external,
        settings=settings,
        live=live,
        cache=not (no_cache or os.environ.get("SEKISHO_NO_CACHE")),
    )
    inputs = read_inputs(wanted)
    given = gather(wanted, inputs)
    if against:
        old = gather(replace(wanted, policies=(*settings.policies, *against)), inputs)
        comparison = compare(old.snapshot, given.snapshot, given.objects, now=given.now, pace=given.pace)
        _tell((*old.problems, *given.problems))
        previewreport.write_comparison(comparison, output)
        return _status(comparison)
    found = preview(given.snapshot, policies_in(given.engine), given.objects, now=given.now, pace=given.pace)
    _tell(given.problems)
    previewreport.write_preview(found, output)
    return 1 if any(row.denied > row.today for row in found.standings) else 0


def policies_in(engine: Engine) -> Sequence[Policy]:
    """The policies that judge at the webhook, as they are now."""
    from sekisho.audit.preview import Policy
    from sekisho.policy import WEBHOOK
    from sekisho.policy.constraint import rung_of

    return [
        Policy(name=row.policy, word=word, rung=rung_of(word))
        for row in engine.constraints
        if (word := row.action_at(WEBHOOK)) is not None
    ]


def _status(comparison: Comparison) -> int:
    return 1 if any(True for _ in comparison.newly_denied()) else 0


def _tell(problems: Sequence[Diagnostic]) -> None:
    """What was wrong with the inputs goes to standard error, beside the answer."""
    import sys

    from sekisho.diag.render.text import format_finding, use_colour

    for problem in dict.fromkeys(format_finding(row, colour=use_colour(sys.stderr)) for row in problems):
        sys.stderr.write(problem)
