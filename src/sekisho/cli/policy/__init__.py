"""``sekisho policy``: gator's verbs."""

from __future__ import annotations

from typing import Final

import click

from sekisho.cli.main import LazyGroup

VERBS: Final = {
    "audit": ("sekisho.cli.policy.audit", "Judge everything that is there, and count."),
    "bench": ("sekisho.cli.policy.bench", "Measure how long reviews take."),
    "expand": ("sekisho.cli.policy.expand", "Show what objects will bring about."),
    "library": ("sekisho.cli.policy.library", "Ready policies, and bundles of them."),
    "preview": ("sekisho.cli.policy.preview", "Say what enforcing would refuse, and the way there."),
    "sync": ("sekisho.cli.policy.sync", "Check what is synced for policies."),
    "test": ("sekisho.cli.policy.test", "Judge resources by the policies among them."),
    "vap": ("sekisho.cli.admission.translate", "Make ValidatingAdmissionPolicies of templates."),
    "verify": ("sekisho.cli.policy.verify", "Run suites of tests for constraints."),
}


@click.command(cls=LazyGroup, rows=VERBS, epilog="Example: sekisho policy test -f policies/ -f manifests/")
def command() -> None:
    """Work with Gatekeeper's policies: gator's verbs, flags, output and exit status."""
