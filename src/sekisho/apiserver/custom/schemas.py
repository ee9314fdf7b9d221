"""The schemas of definitions, read once: the nodes, and the compiled rules.

The language of rules is imported with the first definition: a cluster without any starts sooner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from sekisho.apiserver.release import VERSION
from sekisho.diag import Diagnostic, DiagnosticError, Path, Source, path_text
from sekisho.kube import fielderror
from sekisho.kube.schema import Schema, parse_schema, resource_schema

if TYPE_CHECKING:
    from sekisho.cel.environment import Environment
    from sekisho.cel.kubernetes.rules import Rules
    from sekisho.cel.program import Program

KEPT: Final = 512
"""Schemas that stay read: those of the definitions of a large cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A schema as objects are judged by it."""

    schema: Schema
    at: Path

    def rules(self) -> Rules:
        """Its rules. What is wrong with rules stands in ``problems``, in the server's words."""
        return _rules(self)


def read(raw: Mapping[str, Any], at: Path) -> Read:
    """The schema of a version that stands at ``at``. Raises DiagnosticError (KUB120) for a malformed one."""
    return _read(orjson.dumps(raw), at)


@lru_cache(maxsize=KEPT)
def _read(text: bytes, at: Path) -> Read:
    return Read(schema=resource_schema(parse_schema(orjson.loads(text)), VERSION), at=at)


@lru_cache(maxsize=KEPT)
def _rules(read: Read) -> Rules:
    return rules_of(read.schema, read.at, resource=True)


def rules_of(schema: Schema, at: Path, *, resource: bool) -> Rules:
    """The compiled rules of a node that stands at ``at``."""
    from sekisho.cel.kubernetes.rules import Place, compile_rules
    from sekisho.cel.kubernetes.rules.codes import BAD_RULE
    from sekisho.cel.problems import display_all

    def compile(source: Source, environment: Environment) -> Program:
        from sekisho.cel.compiler import compile as compile_program

        try:
            return compile_program(source, environment)
        except DiagnosticError as error:
            where = f"{path_text(at)}.{source.name}"
            shown = fielderror.shown(source.text)
            message = f"{where}: Invalid value: {shown}: compilation failed: {display_all(error)}"
            raise DiagnosticError(Diagnostic(code=BAD_RULE, message=message)) from None

    return compile_rules(schema, resource=resource, place=Place(base=at), compile=compile)
