"""Writes the reference pages that come from tables: ``docs/reference/rego-builtins.md`` and ``codes.md``.

    python tools/make_docs.py

A test compares the pages with the tables.
"""

from __future__ import annotations

from pathlib import Path

from sekisho.cli.codes import load_codes
from sekisho.diag import registered
from sekisho.rego import builtins
from sekisho.rego.builtins.families import FAMILIES

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"

MADE = "Made from the table by `tools/make_docs.py`."


def builtins_page() -> str:
    """The built-ins of Rego, a family a table."""
    table = builtins.load()
    lines = [
        "# Rego's built-in functions",
        "",
        f"{len(table)} names, those of OPA 1.19. *gated*: off unless the capability set allows it. {MADE}",
    ]
    for family, names in FAMILIES.items():
        lines += [
            "",
            f"## {family.removesuffix('.rows')}",
            "",
            "| name | support | note |",
            "| --- | --- | --- |",
        ]
        for name in names:
            row = table[name]
            marks = [row.support.value]
            marks += ["deprecated"] if row.deprecated else []
            marks += [] if row.deterministic else ["not deterministic"]
            shown = f"`{name}`" + (f" (`{row.infix}`)".replace("|", "\\|") if row.infix else "")
            lines.append(f"| {shown} | {', '.join(marks)} | {row.note} |")
    return "\n".join(lines) + "\n"


def codes_page() -> str:
    """Every code; ``sekisho explain CODE`` prints its page."""
    load_codes()
    lines = [
        "# Codes",
        "",
        f"`sekisho explain CODE` prints the page of a code, by its id or its other name. {MADE}",
        "",
        "| code | title | also known as | blame |",
        "| --- | --- | --- | --- |",
    ]
    for code in registered():
        alias = f"`{code.alias}`" if code.alias else ""
        lines.append(f"| {code.id} | {code.title} | {alias} | {code.blame.value} |")
    return "\n".join(lines) + "\n"


PAGES = {"rego-builtins.md": builtins_page, "codes.md": codes_page}


def main() -> None:
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
