"""``sekisho sandbox doctor``: can this machine run sandboxes, and if not, why."""

from __future__ import annotations

import json
import sys

import click


@click.command(epilog="Example: sekisho sandbox doctor -o json")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def command(*, output: str) -> int:
    """Try what a sandbox needs, and say what is missing and what to do.

    Exit status 0 if sandboxes can run, 3 if they cannot.
    """
    from sekisho.diag import Report
    from sekisho.diag.render.text import format_finding, use_colour
    from sekisho.sandbox.doctor import examine, gather, why_not

    checks = examine(gather())
    findings = [finding for check in checks for finding in check.findings]
    reason = why_not(checks)
    if output == "json":
        rows = [
            {
                "name": check.name,
                "state": check.state,
                "found": check.found,
                "findings": [
                    {
                        "code": finding.code.id,
                        "level": finding.level.value,
                        "message": finding.message,
                        "help": finding.help,
                    }
                    for finding in check.findings
                ],
            }
            for check in checks
        ]
        click.echo(json.dumps({"runs": not reason, "reason": reason, "checks": rows}, indent=2))
        return Report.of(findings).exit_status()
    for check in checks:
        click.echo(f"{check.state:8} {check.name:17} {check.found}")
    click.echo(f"sandboxes {'cannot run' if reason else 'can run'} here")
    sys.stdout.flush()
    for finding in Report.of(findings).findings:
        sys.stderr.write(format_finding(finding, colour=use_colour(sys.stderr)))
    return Report.of(findings).exit_status()
