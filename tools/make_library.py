"""Completes the templates of the policy library: their ``libs``, and the bundles that they are in.

    python tools/make_library.py

A template is one file that Gatekeeper takes as it is, so what several share stands in each of them. It is
written once, in ``src/sekisho/library/lib``, and put from there into the templates that import it. Which
bundles a policy is in is written in the bundles. A test compares the templates with both.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

LIBRARY = Path(__file__).parents[1] / "src" / "sekisho" / "library"
IMPORT = re.compile(r"^\s*import data\.lib\.(\w+)$", re.MULTILINE)
BUNDLES = re.compile(r"^    library\.sekisho\.dev/bundles: .*$", re.MULTILINE)
LIBS = "            libs:\n"
INDENT = " " * 16


def libraries(text: str) -> dict[str, str]:
    """The libraries that a source imports, and those that these import, by name, in alphabetical order."""
    found: dict[str, str] = {}
    wanted = IMPORT.findall(text)
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = (LIBRARY / "lib" / f"{name}.rego").read_text(encoding="utf-8")
            wanted += IMPORT.findall(found[name])
    return dict(sorted(found.items()))


def bundles() -> dict[str, list[str]]:
    """The bundles of each policy, by the policy's kind."""
    found: dict[str, list[str]] = {}
    for file in sorted((LIBRARY / "bundles").glob("*.yaml")):
        rows = yaml.safe_load(file.read_text(encoding="utf-8"))["policies"]
        for kind in {row["kind"] for row in rows}:
            found.setdefault(kind, []).append(file.stem)
    return found


def completed(text: str, memberships: dict[str, list[str]]) -> str:
    """A template's text with its libraries and its bundles."""
    kind = re.search(r"^        kind: (\w+)$", text, re.MULTILINE)
    assert kind is not None
    names = ", ".join(memberships.get(kind[1], ())) or '""'
    text = BUNDLES.sub(f"    library.sekisho.dev/bundles: {names}", text)
    head, _, _ = text.partition(LIBS)
    libs = libraries(head)
    if not libs:
        return head
    blocks = [f"{INDENT[:-2]}- |\n{indented(lib)}" for lib in libs.values()]
    return head + LIBS + "".join(blocks)


def indented(text: str) -> str:
    return "".join((INDENT + line if line.strip() else line) for line in text.splitlines(keepends=True))


def main() -> None:
    memberships = bundles()
    for file in sorted(LIBRARY.glob("policies/*/template.yaml")):
        text = file.read_text(encoding="utf-8")
        file.write_text(completed(text, memberships), encoding="utf-8")


if __name__ == "__main__":
    main()
