"""``sekisho check``: everything about these manifests."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sekisho.cli.images.options import ImageFiles, image_files, image_options
from sekisho.cli.network import Chosen, provider_options
from sekisho.cli.output import finish, report_options


@click.command(epilog="Example: sekisho check manifests/ policies/ -o sarif > findings.sarif")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
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
    "--kubernetes-version", metavar="VERSION", help="Version whose schemas hold, such as 1.33 (newest known)."
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
@image_options
@click.option(
    "--explain",
    is_flag=True,
    help="Tell with each violation which expressions of the policy held, with which values.",
)
@click.option("--no-schema", is_flag=True, help="Leave the Kubernetes schemas out; judge by policies only.")
@click.option("--no-cache", is_flag=True, help="Compile policies anew.")
@report_options
def command(
    *,
    paths: tuple[str, ...],
    policies: tuple[str, ...],
    bundles: tuple[str, ...],
    kubernetes_version: str | None,
    timeout: float,
    external: Chosen,
    images: ImageFiles | None,
    explain: bool,
    no_schema: bool,
    no_cache: bool,
    output: str,
    baseline: str | None,
    write_baseline: str | None,
    fail_on_new: bool,
) -> int:
    """Judge the manifests at PATH: files, directories, or - for standard input.

    ConstraintTemplates, constraints and CustomResourceDefinitions are found among the input, in any order.
    Every object is judged by the Kubernetes schemas and by every policy, as if it were created today.
    """
    from sekisho.cli.judge import Options, judge
    from sekisho.cli.settings import find_settings

    settings = find_settings(Path.cwd())
    report = judge(
        paths,
        Options(
            policies=(*settings.policies, *policies),
            bundles=(*settings.bundles, *bundles),
            kubernetes_version=kubernetes_version or settings.kubernetes_version,
            schema=not no_schema,
            seconds=timeout,
            external=external,
            settings=settings,
            explain=explain,
            owner_key=settings.owner_key,
            images=image_files(images, settings),
            cache=not (no_cache or os.environ.get("SEKISHO_NO_CACHE")),
        ),
    )
    return finish(
        report,
        output=output,
        baseline=baseline or settings.baseline or None,
        write_baseline=write_baseline,
        fail_on_new=fail_on_new,
    )
