"""``sekisho serve``: the webhooks, and what goes with them, for a real cluster."""

from __future__ import annotations

from typing import Any, Final

import click

from sekisho.admission.registration import Registered
from sekisho.cli.auditing.options import Exporting, export_options
from sekisho.cli.network import Chosen, provider_options

GROUPS: Final = ("system:masters",)
PARTS: Final = ("webhook", "status", "audit")


def parts(text: str) -> tuple[str, ...]:
    """The parts that are named."""
    names = tuple(dict.fromkeys(row.strip() for row in text.split(",") if row.strip()))
    unknown = [row for row in names if row not in PARTS]
    if unknown or not names:
        message = f"{', '.join(unknown) or 'nothing'} is no part: there are {', '.join(PARTS)}"
        raise click.BadParameter(message)
    return names


@click.command(epilog="Example: sekisho serve --policies policies/ --cert-dir certs --port 8443")
@click.option(
    "--policies", "-p", multiple=True, metavar="PATH", help="Policies to judge by, as files; repeatable."
)
@click.option("--host", default="", metavar="ADDRESS", help="Address to listen on; all by default.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8443, show_default=True, help="Port of the webhooks."
)
@click.option(
    "--health-port",
    type=click.IntRange(0, 65_535),
    default=9090,
    show_default=True,
    help="Port of /healthz and /readyz.",
)
@click.option(
    "--prometheus-port",
    type=click.IntRange(0, 65_535),
    default=8888,
    show_default=True,
    help="Port of /metrics.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Processes that answer webhooks.",
)
@click.option("--cert-dir", default="", metavar="FOLDER", help="Folder of tls.crt, tls.key, ca.crt, ca.key.")
@click.option(
    "--failure-policy",
    type=click.Choice(["webhook", "fail", "ignore"]),
    default="webhook",
    show_default=True,
    help="What becomes of a request that could not be judged: what the webhook configuration says, or this.",
)
@click.option("--fields", is_flag=True, help="Name the field at fault behind each message of a refusal.")
@click.option(
    "--exempt-namespace", multiple=True, metavar="NAME", help="May have the ignore label; repeatable."
)
@click.option("--exempt-namespace-prefix", multiple=True, metavar="PREFIX", help="Likewise, by prefix.")
@click.option("--exempt-namespace-suffix", multiple=True, metavar="SUFFIX", help="Likewise, by suffix.")
@click.option(
    "--namespace",
    envvar="POD_NAMESPACE",
    default="sekisho-system",
    show_default=True,
    help="sekisho's own Namespace, about which policies are not asked.",
)
@click.option("--service-account", default="sekisho", show_default=True, help="sekisho's own ServiceAccount.")
@click.option("--admin-user", multiple=True, metavar="NAME", help="May always mend policies; repeatable.")
@click.option(
    "--admin-group", multiple=True, default=GROUPS, show_default=True, metavar="NAME", help="Likewise."
)
@click.option(
    "--shutdown-delay",
    type=click.FloatRange(0, 600),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to go on answering after a signal to stop, until nobody asks any more.",
)
@click.option(
    "--only",
    default=",".join(PARTS),
    show_default=True,
    metavar="PARTS",
    callback=lambda _context, _option, value: parts(value),
    help="Which parts to run here, separated by commas.",
)
@click.option("--kubeconfig", default="", metavar="FILE", help="The cluster that is guarded.")
@click.option("--context", default="", metavar="NAME", help="The kubeconfig's context.")
@click.option(
    "--service-name",
    default="sekisho-webhook-service",
    show_default=True,
    help="The Service by which the API server reaches the webhooks.",
)
@click.option(
    "--validating-webhook-configuration-name",
    default=Registered().validating,
    show_default=True,
    help="Kept as it should be, with the bundle of the certificate.",
)
@click.option(
    "--mutating-webhook-configuration-name",
    default=Registered().mutating,
    show_default=True,
    help="Likewise.",
)
@click.option(
    "--webhook-failure-policy",
    type=click.Choice(["Ignore", "Fail"]),
    default="Ignore",
    show_default=True,
    help="What the webhook configurations say of requests that are not answered.",
)
@click.option(
    "--webhook-timeout",
    type=click.IntRange(1, 30),
    default=3,
    show_default=True,
    metavar="SECONDS",
    help="How long the API server waits for the validating webhook.",
)
@click.option(
    "--webhook-url", default="", metavar="URL", help="Where the API server asks, in place of a Service."
)
@click.option(
    "--tls-min-version",
    type=click.Choice(["1.2", "1.3"]),
    default="1.3",
    show_default=True,
    help="The oldest version of TLS that is spoken.",
)
@click.option(
    "--client-ca-name", default="", metavar="FILE", help="A file of --cert-dir: who issues clients."
)
@click.option(
    "--client-cn-name",
    default="kube-apiserver",
    show_default=True,
    help="The only client that may ask, where --client-ca-name is given.",
)
@click.option("--protect-policies", is_flag=True, help="Let only admins change policies.")
@click.option("--log-denies", is_flag=True, help="Log a line of JSON for each violation.")
@click.option("--emit-admission-events", is_flag=True, help="Write an Event for each violation.")
@click.option(
    "--admission-events-involved-namespace",
    is_flag=True,
    help="Write Events beside their objects, and not in sekisho's Namespace.",
)
@click.option(
    "--decision-log", default="", metavar="FOLDER", help="Keep a log of decisions that shows changes."
)
@click.option(
    "--decision-log-fsync",
    type=click.Choice(["never", "second", "always"]),
    default="second",
    show_default=True,
    help="When the disk is asked to have the log.",
)
@export_options
@provider_options
@click.option("--no-cache", is_flag=True, help="Compile policies anew.")
def command(*, external: Chosen, exporting: Exporting | None, **more: Any) -> int:
    """Answer the admission webhooks of a cluster until a signal says to stop.

    The paths are Gatekeeper's: /v1/admit, /v1/mutate and /v1/admitlabel.
    """
    import asyncio

    from sekisho.cli.serving.options import serving_of
    from sekisho.cli.serving.run import run

    return asyncio.run(run(serving_of(more, external, exporting)))
