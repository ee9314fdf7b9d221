"""``sekisho policy library``: the policies and bundles that come with this package."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sekisho.kube.object import Object
    from sekisho.policy.library import Bundle, Entry

RUNGS: Final = ("observe", "warn", "deny")
"""``kube.ladder`` has them; help must not import it."""


@click.group(epilog="Example: sekisho policy library install --bundle pod-security-baseline --rung observe")
def command() -> None:
    """The policy library: ready policies, and bundles of them."""


@command.command("list", epilog="Example: sekisho policy library list --bundle pod-security-restricted")
@click.option("--bundle", metavar="BUNDLE", help="Only the policies of a bundle.")
@click.option("--category", metavar="CATEGORY", help="Only the policies of a category.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def list_all(*, bundle: str | None, category: str | None, output: str) -> int:
    """List the policies, and the bundles."""
    from sekisho.policy.library import bundle as find
    from sekisho.policy.library import bundle_names, entry, entry_names

    entries = find(bundle).policies if bundle else tuple(entry(name) for name in entry_names())
    categories = sorted({row.category for row in entries})
    if category is not None and category not in categories:
        raise click.UsageError(f"there is no category {category}; there are: {', '.join(categories)}")
    entries = tuple(row for row in entries if category in (None, row.category))
    bundles = [find(name) for name in ([bundle] if bundle else bundle_names())]
    if output == "json":
        _json({"policies": [_summary(row) for row in entries], "bundles": [_bundle(row) for row in bundles]})
        return 0
    width = max(len(name) for name in (*(row.kind for row in entries), *(row.name for row in bundles)))
    for category_name in sorted({row.category for row in entries}):
        click.echo(f"{category_name}:")
        for row in entries:
            if row.category == category_name:
                click.echo(f"  {row.kind:{width}}  {row.severity:8}  {row.title}")
    click.echo("bundles:")
    for found in bundles:
        click.echo(f"  {found.name:{width}}  {len(found.members):8}  {found.title}")
    return 0


@command.command(epilog="Example: sekisho policy library show K8sRequiredLabels")
@click.argument("name")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    help="Form of the output; yaml is the template.",
)
def show(*, name: str, output: str) -> int:
    """Show a policy: what it wants, its parameters, a constraint. NAME is its kind, in any case."""
    from sekisho.policy.library import entry

    found = entry(name)
    if output == "yaml":
        click.echo(found.text(), nl=False)
    elif output == "json":
        samples = {sample: found.sample(sample).raw for sample in found.samples}
        _json({**_summary(found), "parameters": _parameters(found), "samples": samples})
    else:
        _show(found)
    return 0


@command.command(
    epilog="Example: sekisho policy library install --bundle nsa-cisa --rung observe | kubectl apply -f -"
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--bundle", "bundles", multiple=True, metavar="BUNDLE", help="A bundle; repeatable.")
@click.option("--samples", is_flag=True, help="The sample constraints of the policies that are named, too.")
@click.option("--rung", type=click.Choice(RUNGS), help="What violations of the constraints bring about.")
@click.option("--output", metavar="DIR", help="Write files into a directory instead of standard output.")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
def install(
    *,
    names: tuple[str, ...],
    bundles: tuple[str, ...],
    samples: bool,
    rung: str | None,
    output: str | None,
    force: bool,
) -> int:
    """Print the manifests of policies and bundles: templates, then what to sync for them, then constraints.

    A policy by its NAME is its template, to which you write constraints; a bundle brings constraints along.
    """
    from sekisho.kube.ladder import RUNGS as LADDER
    from sekisho.policy.library import at_rung, bundle, entry
    from sekisho.policy.library.sync import sync_set

    if not names and not bundles:
        raise click.UsageError("name policies, or a bundle with --bundle; `list` shows both")
    step = LADDER[rung] if rung else None
    entries = {row.name: row for row in map(entry, names)}
    constraints = [
        at_rung(row.sample(sample), step)
        for row in (entries.values() if samples else ())
        for sample in row.samples
    ]
    for found in map(bundle, dict.fromkeys(bundles)):
        entries |= {row.name: row for row in found.policies}
        constraints += found.constraints(step)
    synced = sync_set(entries.values())
    texts = _texts(entries.values(), [synced, *constraints] if synced else constraints)
    if output is None:
        click.echo("---\n".join(texts.values()), nl=False)
    else:
        _write(Path(output), texts, force=force)
    return 0


def _texts(entries: Iterable[Entry], objects: Iterable[Object]) -> dict[str, str]:
    """The manifests by the names of their files. Templates come first, in their own form."""
    from sekisho import manifest
    from sekisho.policy import is_constraint

    texts = {f"templates/{row.name}.yaml": row.text() for row in entries}
    for row in objects:
        folder = "constraints/" if is_constraint(row) else ""
        texts[f"{folder}{row.kind.lower()}-{row.name}.yaml"] = manifest.dump(row.raw)
    return texts


def _write(folder: Path, texts: dict[str, str], *, force: bool) -> None:
    """Write the files; none of them where one would replace another one."""
    from sekisho.diag import Diagnostic, DiagnosticError
    from sekisho.policy.library import codes

    in_the_way = [
        Diagnostic(
            code=codes.WOULD_REPLACE,
            message=f"{folder / name} is there already, with something else in it",
            help="nothing is written; --force replaces files",
        )
        for name, text in texts.items()
        if (folder / name).exists() and (folder / name).read_bytes() != text.encode()
    ]
    if in_the_way and not force:
        raise DiagnosticError(in_the_way)
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    print(f"{len(texts)} files written to {folder}", file=sys.stderr)


def _show(found: Entry) -> None:
    from textwrap import fill

    click.echo(f"{found.kind}: {found.title} ({found.category}, {found.severity})\n")
    for paragraph in found.description.split("\n"):
        click.echo(fill(paragraph, 100))
    if found.bundles:
        click.echo(f"\nbundles: {', '.join(found.bundles)}")
    if found.requires:
        click.echo("\nIt looks at other objects: have them synced, or among what is checked.")
    if found.parameters:
        click.echo("\nparameters:")
    for row in found.parameters:
        default = "" if row.default is None else f", by default {row.default}".lower()
        click.echo(f"  {row.name}: {row.type}{default}")
        if row.description:
            indent = " " * 6
            click.echo(fill(row.description, 100, initial_indent=indent, subsequent_indent=indent))
    click.echo("\na constraint:\n")
    click.echo(found.text(f"samples/{found.samples[0]}/constraint.yaml"), nl=False)


def _summary(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "title": entry.title,
        "version": entry.version,
        "description": entry.description,
        "category": entry.category,
        "severity": entry.severity,
        "bundles": list(entry.bundles),
        "referential": bool(entry.requires),
    }


def _parameters(entry: Entry) -> Sequence[dict[str, Any]]:
    return [
        {"name": row.name, "type": row.type, "description": row.description, "default": row.default}
        for row in entry.parameters
    ]


def _bundle(bundle: Bundle) -> dict[str, Any]:
    members = [
        {
            "kind": row.kind,
            "name": row.name,
            "match": row.match,
            "parameters": row.parameters,
            "references": list(row.references),
        }
        for row in bundle.members
    ]
    return {
        "name": bundle.name,
        "title": bundle.title,
        "description": bundle.description,
        "constraints": members,
    }


def _json(value: Any) -> None:
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
