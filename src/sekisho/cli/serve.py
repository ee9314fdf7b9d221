"""``sekisho serve``: the webhooks, and what goes with them, for a real cluster."""

from __future__ import annotations

import click

from sekisho.cli.network import Chosen, provider_options


@click.command(epilog="Example: sekisho serve --policies policies/ --cert-dir certs --port 8443")
@click.option(
    "--policies", "-p", multiple=True, metavar="PATH", help="Policies to judge by, as files; repeatable."
)
@click.option("--host", default="", metavar="ADDRESS", help="Address to listen on; all by default.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8443, show_default=True, help="Port of the webhooks."
)
@click.option("--cert-dir", default="", metavar="FOLDER", help="Folder of tls.crt, tls.key, ca.crt, ca.key.")
@provider_options
def command(*, policies: tuple[str, ...], host: str, port: int, cert_dir: str, external: Chosen) -> int:
    """Answer the admission webhooks of a cluster until a signal says to stop."""
    import asyncio

    from sekisho.cli.serving.options import Serving
    from sekisho.cli.serving.run import run

    serving = Serving(policies=policies, host=host, port=port, cert_dir=cert_dir, external=external)
    return asyncio.run(run(serving))
