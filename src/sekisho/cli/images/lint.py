"""``sekisho images lint``: what a policy allows and hardly means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from sekisho.cli.output import finish, report_options

if TYPE_CHECKING:
    from sekisho.oci import Reference


@click.command(epilog="Example: sekisho images lint policy.yaml --attestor attestors/ --seen manifests/")
@click.argument("policy_file", metavar="POLICY")
@click.option("--attestor", "attestors", multiple=True, metavar="PATH", help="Attestors; repeatable.")
@click.option("--seen", multiple=True, metavar="PATH", help="Manifests whose images run; repeatable.")
@report_options
def command(
    *,
    policy_file: str,
    attestors: tuple[str, ...],
    seen: tuple[str, ...],
    output: str,
    baseline: str | None,
    write_baseline: str | None,
    fail_on_new: bool,
) -> int:
    """Warn about patterns that match too much or nothing, and attestors that attest nothing.

    Exit status 0 unless the policy itself is malformed; warnings do not fail.
    """
    from sekisho.cli.images.files import one_document, read_attestors
    from sekisho.diag import Report
    from sekisho.images.google.lint import lint
    from sekisho.images.google.policy import read_policy

    document = one_document(policy_file)
    images = list(_images(seen)) if seen else None
    found = lint(read_policy(document), document, read_attestors(attestors), images)
    return finish(
        Report.of(found),
        output=output,
        baseline=baseline,
        write_baseline=write_baseline,
        fail_on_new=fail_on_new,
    )


def _images(paths: Sequence[str]) -> Iterator[Reference]:
    """The images of manifests; references that cannot be read match no pattern."""
    from sekisho.cli.inputs import read_objects
    from sekisho.diag import DiagnosticError
    from sekisho.kube.podspec import images
    from sekisho.oci import parse_reference

    for object in read_objects(paths).objects:
        for image in images(object):
            try:
                yield parse_reference(image.reference)
            except DiagnosticError:
                continue
