"""The pages of the policy library, made from the annotations, schemas and samples of its templates."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

from sekisho.policy.library import Bundle, Entry, bundle, bundle_names, entry, entry_names

MADE = "Made from the templates by `tools/make_docs.py`."


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    entries = [entry(name) for name in entry_names()]
    bundles = [bundle(name) for name in bundle_names()]
    made = {f"{row.name}.md": policy_page(row) for row in entries}
    made |= {f"bundle-{row.name}.md": bundle_page(row) for row in bundles}
    return {"README.md": index(entries, bundles), **made}


def index(entries: list[Entry], bundles: list[Bundle]) -> str:
    lines = [
        "# The policy library",
        "",
        f"{len(entries)} policies that need no Rego to be written, and bundles of them for standards.",
        f"[policy.md](../guide/policy.md#the-library) says how to use them. {MADE}",
        "",
        "| bundle | constraints | |",
        "| --- | --- | --- |",
        *(f"| [{row.name}](bundle-{row.name}.md) | {len(row.members)} | {row.title} |" for row in bundles),
    ]
    for category in sorted({row.category for row in entries}):
        lines += ["", f"## {category.capitalize()}", "", "| policy | severity | |", "| --- | --- | --- |"]
        lines += [
            f"| [{row.kind}]({row.name}.md) | {row.severity} | {row.title} |"
            for row in entries
            if row.category == category
        ]
    return "\n".join(lines) + "\n"


def policy_page(row: Entry) -> str:
    lines = [f"# {row.kind}", "", f"**{row.title}.** {row.description}", ""]
    lines += [f"Category {row.category}, severity {row.severity}, version {row.version}. {MADE}", ""]
    lines += [f"- {fact}" for fact in _facts(row)]
    lines += ["", "## Parameters", "", *_parameters(row), ""]
    for name in row.samples:
        lines += [f"## Sample: {name}", "", *_yaml(row.text(f"samples/{name}/constraint.yaml"))]
        lines += ["", "Allowed:", "", *_yaml(row.text(f"samples/{name}/allowed.yaml"))]
        refused = f"samples/{name}/disallowed.yaml"
        lines += ["", "Refused:", "", *_yaml(row.text(refused)), ""] if row.has(refused) else [""]
    return "\n".join(lines).rstrip() + "\n"


def bundle_page(row: Bundle) -> str:
    lines = [f"# {row.name}", "", f"**{row.title}.** {row.description} {MADE}", ""]
    lines += ["| constraint | of | rules | parameters |", "| --- | --- | --- | --- |"]
    for member in row.members:
        parameters = "; ".join(f"{key}: {_short(value)}" for key, value in (member.parameters or {}).items())
        references = ", ".join(member.references)
        link = f"[{member.kind}]({member.kind.lower()}.md)"
        lines.append(f"| {member.name} | {link} | {references} | {parameters} |")
    lines += ["", *_fenced(f"sekisho check --bundle {row.name} manifests/")]
    return "\n".join(lines) + "\n"


def _facts(row: Entry) -> Iterator[str]:
    text = row.text()
    if len(row.engines) > 1:
        yield (
            "Written in Rego and in CEL, with the same verdicts and messages: `sekisho policy vap` makes a "
            "ValidatingAdmissionPolicy of it."
        )
    if row.bundles:
        links = ", ".join(f"[{name}](bundle-{name}.md)" for name in row.bundles)
        yield f"In the bundles {links}."
    if row.requires:
        yield (
            "It looks at other objects: they must be synced (`sekisho policy sync test`), "
            "or be among what is checked."
        )
    if "operation.is_update" in text:
        yield "An update of an object that exists is not judged: what it is about cannot be changed then."
    if 'review.operation == "UPDATE"' in text.partition("libs:")[0]:
        yield "It judges updates only, so `check` and the audit, which ask about new objects, find nothing."


def _parameters(row: Entry) -> Iterator[str]:
    if not row.parameters:
        yield "None."
        return
    yield "| name | type | |"
    yield "| --- | --- | --- |"
    for parameter in row.parameters:
        default = "" if parameter.default is None else f" Default: `{_short(parameter.default)}`."
        type = parameter.type.replace("|", "\\|")
        yield f"| `{parameter.name}` | {type} | {parameter.description}{default} |"


def _short(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_short, value)) or "none"
    if isinstance(value, dict):
        return " ".join(f"{key} {_short(item)}" for key, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _yaml(text: str) -> list[str]:
    return ["```yaml", *dedent(text).rstrip("\n").split("\n"), "```"]


def _fenced(text: str) -> list[str]:
    return ["```", text, "```"]
