"""Completes the templates of the policy library: their ``libs``, their CEL, and the bundles that they are in.

    python tools/make_library.py

A template is one file that Gatekeeper takes as it is, so what several share stands in each of them. It is
written once, in ``src/sekisho/library/lib``, and put from there into the templates that import it. Which
bundles a policy is in is written in the bundles. A test compares the templates with both.

CEL has no functions to import. A variable that several templates have is a file there, by its name, and
stands before a template's own variables if one of those reads it. The last of them is ``found``, a list with
what there is to say; the validations say it one by one, since each of them says one thing.
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
CEL = re.compile(
    r"(        - engine: K8sNativeValidation\n.*?            variables:\n)(.*?)(?=        - engine: Rego\n)",
    re.DOTALL,
)
VARIABLE = re.compile(r"              - name: (\w+)\n                expression: \|-\n((?:(?: {18}.*)?\n)+)")
USED = re.compile(r"\bvariables\.(\w+)")
ALONE = 4
"""How many violations are told one by one; more of them are told together, in one more."""


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
    text = CEL.sub(lambda found: found[1] + native(found[2]), text)
    head, _, _ = text.partition(LIBS)
    libs = libraries(head)
    if not libs:
        return head
    blocks = [f"{INDENT[:-2]}- |\n{indented(lib)}" for lib in libs.values()]
    return head + LIBS + "".join(blocks)


def native(text: str) -> str:
    """The variables and validations of a template's CEL, of which its own variables are taken."""
    shared = {file.stem: file.read_text(encoding="utf-8") for file in (LIBRARY / "lib").glob("*.cel")}
    own = {name: row for name, row in VARIABLE.findall(text) if name not in shared}
    made: dict[str, str] = {}
    for row in own.values():
        _take(row, shared, made)
    rows = {name: indented(row, INDENT + "  ") for name, row in made.items()} | own
    head = "".join(
        f"              - name: {name}\n                expression: |-\n{row}" for name, row in rows.items()
    )
    return head + VALIDATIONS


def _take(expression: str, shared: dict[str, str], made: dict[str, str]) -> None:
    """Add the shared variables that an expression reads, each after those that it reads itself."""
    for name in USED.findall(expression):
        if name in shared and name not in made:
            _take(shared[name], shared, made)
            made[name] = shared[name]


VALIDATIONS = (
    "            validations:\n"
    + "".join(
        f"              - expression: variables.found.size() <= {index}\n"
        f"                messageExpression: string(variables.found[{index}].message)\n"
        for index in range(ALONE)
    )
    + f"              - expression: variables.found.size() <= {ALONE}\n"
    "                messageExpression: |-\n"
    f"                  string(variables.found[{ALONE}].message) +\n"
    f"                  variables.found.filter(row, variables.found.indexOf(row) > {ALONE})\n"
    '                    .map(row, "; " + string(row.message)).join()\n'
)


def indented(text: str, indent: str = INDENT) -> str:
    return "".join((indent + line if line.strip() else line) for line in text.splitlines(keepends=True))


def main() -> None:
    memberships = bundles()
    for file in sorted(LIBRARY.glob("policies/*/template.yaml")):
        text = file.read_text(encoding="utf-8")
        file.write_text(completed(text, memberships), encoding="utf-8")


if __name__ == "__main__":
    main()
