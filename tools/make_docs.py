"""Writes the pages that come from tables: some of ``docs/reference``, and ``docs/library``.

    python tools/make_docs.py

A test compares the pages with the tables.
"""

from __future__ import annotations

from pathlib import Path

import cel_docs
import library_docs

from sekisho.cli.codes import load_codes
from sekisho.diag import registered
from sekisho.rego import builtins
from sekisho.rego.builtins.families import FAMILIES
from sekisho.sandbox.probe.report import files_page
from sekisho.sandbox.table import responsibility
from sekisho.sandbox.table.report import syscalls_page

DOCS = Path(__file__).parents[1] / "docs"

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


PAGES = {
    "reference/cel-functions.md": lambda: cel_docs.page(MADE),
    "reference/codes.md": codes_page,
    "reference/rego-builtins.md": builtins_page,
    "reference/sandbox-files.md": lambda: files_page(MADE),
    "reference/sandbox-responsibility.md": lambda: responsibility.page(MADE),
    "reference/syscalls.md": lambda: syscalls_page(MADE),
}


def pages() -> dict[str, str]:
    """Every page by its path below ``docs``."""
    library = {f"library/{name}": text for name, text in library_docs.pages().items()}
    return {name: page() for name, page in PAGES.items()} | library


def main() -> None:
    made = pages()
    for old in (DOCS / "library").glob("*.md"):
        if f"library/{old.name}" not in made:
            old.unlink()
    for name, text in made.items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
