"""Compiling a template's Rego: the rules for templates first, then the language's own checks."""

from __future__ import annotations

from sekisho import rego
from sekisho.policy import rules
from sekisho.policy.code import CAPABILITIES, Code, Compiled


def compile_code(code: Code) -> Compiled:
    """Check and compile without a cache; raises DiagnosticError with all that is wrong (POL01x, REG…)."""
    checked = rules.check(code)
    program = rego.compile(checked.modules, dialect=code.dialect, capabilities=CAPABILITIES)
    return Compiled(program=program, facts=checked.facts)
