"""``sekisho install``: the guard in a real cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.cli.installing.wanted import Wanted

NAMESPACE_HELP = "The guard's own Namespace, about which policies are not asked."


@click.command(
    epilog="Example: sekisho install --print --image registry.example/sekisho:1.0 | kubectl apply -f -"
)
@click.option("--print", "shown", is_flag=True, help="Print the manifests, and ask no cluster.")
@click.option("--yes", is_flag=True, help="Carry out the plan; without it the plan is shown, and no more.")
@click.option("--namespace", default="sekisho-system", show_default=True, help=NAMESPACE_HELP)
@click.option("--image", required=True, help="The image of sekisho.")
@click.option(
    "--replicas", type=click.IntRange(1), default=3, show_default=True, help="Replicas of the webhook."
)
@click.option(
    "--failure-policy",
    type=click.Choice(["Ignore", "Fail"]),
    default="Ignore",
    show_default=True,
    help="What becomes of writes when no webhook answers.",
)
@click.option(
    "--timeout",
    type=click.IntRange(1, 30),
    default=3,
    show_default=True,
    metavar="SECONDS",
    help="How long the API server waits for the validating webhook.",
)
@click.option(
    "--exempt-namespace", multiple=True, metavar="NAME", help="May have the ignore label; repeatable."
)
@click.option("--log-denies", is_flag=True, help="Log a line of JSON for each violation.")
@click.option("--kubeconfig", default="", metavar="FILE", help="The kubeconfig.")
@click.option("--context", default="", metavar="NAME", help="The kubeconfig's context.")
def command(*, shown: bool, yes: bool, kubeconfig: str, context: str, **options: Any) -> int:
    """Install the webhooks, the controller and the audit in a cluster.

    Namespace, definitions, ServiceAccounts with what they need and no more, Deployments, Service, disruption
    budget, and last the webhook configurations, under Gatekeeper's names. Without --print and --yes it is
    said what would change.
    """
    import asyncio

    from sekisho.cli.installing.manifests import manifests

    rows = list(manifests(_wanted(options)))
    if shown:
        from sekisho.manifest.write import dump_all

        click.echo(dump_all(rows), nl=False)
        return 0
    return asyncio.run(_install(rows, kubeconfig, context, carried_out=yes))


def _wanted(options: dict[str, Any]) -> Wanted:
    from sekisho.admission.registration import Registered
    from sekisho.cli.installing.wanted import Wanted

    registered = Registered(failure=options["failure_policy"], seconds=options["timeout"])
    return Wanted(
        namespace=options["namespace"],
        image=options["image"],
        replicas=options["replicas"],
        exempt=options["exempt_namespace"],
        log_denies=options["log_denies"],
        registered=registered,
    )


async def _install(
    rows: Sequence[dict[str, Any]], kubeconfig: str, context: str, *, carried_out: bool
) -> int:
    from sekisho.cli.installing.apply import carry_out, plan
    from sekisho.cluster.client import Client
    from sekisho.cluster.kubeconfig import Wanted as Which
    from sekisho.cluster.kubeconfig import load

    async with Client(load(kubeconfig, Which(context=context)), manager="sekisho-install") as client:
        steps = await plan(client, rows)
        changes = [step for step in steps if step.word != "unchanged"]
        if not carried_out:
            for step in changes:
                click.echo(f"{step.word} {step.kind} {step.name}")
            click.echo(f"{len(changes)} to change, {len(steps) - len(changes)} unchanged")
            if changes:
                click.echo("nothing was changed; --yes carries this out", err=True)
            return 0
        async for step in carry_out(client, steps):
            click.echo(f"{step.kind} {step.name} {'created' if step.word == 'create' else 'configured'}")
    return 0
