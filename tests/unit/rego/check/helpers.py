"""What the tests of the checks share."""

from __future__ import annotations

import re
from typing import Any

from sekisho.diag import DiagnosticError, Source
from sekisho.rego.check import Checked, check
from sekisho.rego.check import text as texts
from sekisho.rego.dialect import Dialect
from sekisho.rego.nodes import Module
from sekisho.rego.parser import parse_module


def parse(*sources: str, dialect: Dialect = Dialect.V1) -> list[Module]:
    """Modules called m0.rego, m1.rego, …"""
    return [parse_module(Source(f"m{i}.rego", text), dialect=dialect) for i, text in enumerate(sources)]


def checked(*sources: str, dialect: Dialect = Dialect.V1, **options: Any) -> Checked:
    """The checked program of these sources; a source without a package is in package t."""
    return check(parse(*map(packaged, sources), dialect=dialect), **options)


def packaged(source: str) -> str:
    return source if "package " in source else f"package t\n{source}"


def errors(*sources: str, dialect: Dialect = Dialect.V1, **options: Any) -> list[str]:
    """What is wrong with these sources: ``line:column code message``, by place."""
    try:
        checked(*sources, dialect=dialect, **options)
    except DiagnosticError as error:
        found = [(d.at, d) for d in error.diagnostics]
        rows = [(*(at.begins if at else (0, 0)), d) for at, d in found]
        return [f"{line}:{column} {d.code.id} {d.message}" for line, column, d in sorted(rows, key=key)]
    return []


def key(row: tuple[int, int, Any]) -> tuple[int, int, str]:
    return row[0], row[1], row[2].message


def body_text(program: Checked, *path: str, rule: int = 0) -> list[str]:
    """The ordered body of a rule with the unique names, an expression a line; wildcards are ``_``."""
    node = program.tree.find(path)
    assert node is not None
    kept = texts.written_name
    texts.written_name = lambda name: name
    try:
        return [re.sub(r"\$\d+", "_", texts.term_text(expr)) for expr in node.rules[rule].body]
    finally:
        texts.written_name = kept
