"""From an expression to a program: the stages in their order."""

from __future__ import annotations

from sekisho.cel.check import check
from sekisho.cel.codegen import generate
from sekisho.cel.environment import Environment
from sekisho.cel.nodes import Node
from sekisho.cel.parser import parse
from sekisho.cel.problems import Problems
from sekisho.cel.program import Program
from sekisho.diag import Source


def compile(source: str | Source, environment: Environment) -> Program:
    """Compile an expression. DiagnosticError (CEL0xx, CEL1xx) for what is wrong with it."""
    named = source if isinstance(source, Source) else Source("<input>", source)
    root = checked(named, environment)
    return Program(named, environment, generate(root, environment), lambda: root)


def checked(source: Source, environment: Environment) -> Node:
    """The tree of an expression, with types and meanings. DiagnosticError as ``compile``."""
    problems = Problems(source)
    try:
        root = parse(
            source, environment.macros, problems, optional_syntax=environment.options.optional_syntax
        )
        if root is None or problems:
            raise problems.error()
        root = check(root, environment, problems)
    except RecursionError:
        raise problems.too_deep() from None
    if problems:
        raise problems.error()
    return root
