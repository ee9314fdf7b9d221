"""``sekisho policy audit``: everything that is there, judged as if it were admitted today."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sekisho.cli.live import Live, live_options
from sekisho.cli.network import Chosen, provider_options
from sekisho.cli.output import FORMS, finish, report_options
from sekisho.cli.rules import remarks
from sekisho.diag import Report

if TYPE_CHECKING:
    from sekisho.audit import Count, Ledger
    from sekisho.audit.summary import Summary
    from sekisho.cli.snapshot import Given

POLICY_REPORT: Final = "policyreport"
"""The reports of wgpolicyk8s.io, as the live audit writes them into a cluster."""

COLUMNS: Final = ("deny", "warn", "observe", "waived", "failed")


@click.command(
    epilog="Example: kubectl get pods,deployments -A -o yaml | sekisho policy audit -p policies/ -"
)
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
@click.option("--summary", is_flag=True, help="Counts by policy, namespace and owner instead of findings.")
@click.option("--status", is_flag=True, help="The status that each policy would have in a cluster, as YAML.")
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
@partial(report_options, forms=(*FORMS, POLICY_REPORT))
def command(
    *,
    paths: tuple[str, ...],
    policies: tuple[str, ...],
    bundles: tuple[str, ...],
    summary: bool,
    status: bool,
    timeout: float,
    external: Chosen,
    live: Live | None,
    no_cache: bool,
    output: str,
    **baselines: Any,
) -> int:
    """Judge the objects at PATH, or of a cluster, by the policies among them: files, directories, or -.

    Judged is at the enforcement point audit.gatekeeper.sh, and a Config's process audit is heeded. With
    --summary or --status, -o is text or json; -o policyreport prints PolicyReports (wgpolicyk8s.io), as the
    audit of a guarded cluster writes them. Exit status 1 if an object would be refused.
    """
    from sekisho.audit import World, scan
    from sekisho.audit import summary as count
    from sekisho.cli.settings import find_settings
    from sekisho.cli.snapshot import Wanted, gather
    from sekisho.policy import AUDIT

    if (summary or status) and output not in ("text", "json"):
        raise click.UsageError(f"--summary and --status have the forms text and json, not {output}")
    if summary and status:
        raise click.UsageError("--summary and --status exclude each other")
    settings = find_settings(Path.cwd())
    given = gather(
        Wanted(
            paths=paths,
            policies=(*settings.policies, *policies),
            bundles=(*settings.bundles, *bundles),
            owner_key=settings.owner_key,
            point=AUDIT,
            seconds=timeout,
            positions=not (summary or status or output == POLICY_REPORT),
            external=external,
            settings=settings,
            live=live,
            cache=not (no_cache or os.environ.get("SEKISHO_NO_CACHE")),
        )
    )
    ledger = scan(given.objects, given.snapshot, now=given.now, pace=given.pace)
    report = _report(given, ledger)
    if summary:
        _write(count(ledger, World.of(given.objects), given.snapshot.rules), output)
        return report.exit_status()
    if status:
        _write_status(given, ledger, output)
        return report.exit_status()
    if output == POLICY_REPORT:
        _write_reports(ledger)
        return report.exit_status()
    baselines["baseline"] = baselines["baseline"] or settings.baseline or None
    return finish(report, output=output, **baselines)


def _report(given: Given, ledger: Ledger) -> Report:
    found = [*given.problems, *ledger.diagnostics()]
    found += remarks(given.loaded, found, given.now)
    constraints = len(given.engine.constraints)
    judged = f"{counted(len(given.objects), 'object')} judged by {counted(constraints, 'constraint')}"
    return Report.of(found, judged=judged)


def _write_status(given: Given, ledger: Ledger, output: str) -> None:
    from sekisho.policy.status import with_statuses

    pairs = ((entry.object, row) for entry in ledger.entries.values() for row in entry.findings())
    rows = with_statuses(given.policies, given.engine, pairs, given.now)
    if output == "json":
        import orjson

        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
        return
    from sekisho import manifest

    click.echo(manifest.dump_all(rows), nl=False)


def _write_reports(ledger: Ledger) -> None:
    from sekisho import manifest
    from sekisho.audit.live import reports

    click.echo(manifest.dump_all(reports(ledger).values()), nl=False)


def _write(counts: Summary, output: str) -> None:
    if output == "json":
        import orjson

        click.echo(orjson.dumps(to_json(counts), option=orjson.OPT_INDENT_2))
        return
    click.echo(f"{counted(counts.objects, 'object')} judged")
    tables = (("policy", counts.policies), ("namespace", counts.namespaces), ("owner", counts.owners))
    for title, rows in tables:
        if rows:
            click.echo()
            click.echo(table(title, rows))


def counted(number: int, noun: str) -> str:
    """``1 object``, ``2 objects``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def table(title: str, rows: Any) -> str:
    """Counts as lines of columns; what has no name is shown as a dash."""
    width = max(len(title), *(len(name or "-") for name in rows))
    lines = [f"{title.upper():<{width}}" + "".join(f"  {name.upper():>7}" for name in COLUMNS)]
    for name, row in rows.items():
        lines.append(f"{name or '-':<{width}}" + "".join(f"  {getattr(row, key):>7}" for key in COLUMNS))
    return "\n".join(lines)


def to_json(counts: Summary) -> dict[str, Any]:
    """The documented shape: objects, total, and counts by policy, namespace and owner."""
    return {
        "objects": counts.objects,
        "total": _count(counts.total),
        "policies": {name: _count(row) for name, row in counts.policies.items()},
        "namespaces": {name: _count(row) for name, row in counts.namespaces.items()},
        "owners": {name: _count(row) for name, row in counts.owners.items()},
    }


def _count(row: Count) -> dict[str, int]:
    return {name: getattr(row, name) for name in COLUMNS}
