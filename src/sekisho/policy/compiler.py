"""Compiling a template's Rego: the rules for templates first, then the language's own checks."""

from __future__ import annotations

from dataclasses import replace

from sekisho import rego
from sekisho.policy import rules
from sekisho.policy.code import CAPABILITIES, Code, Compiled
from sekisho.policy.stretches import loops_in, texts_in


def compile_code(code: Code) -> Compiled:
    """Check and compile without a cache; raises DiagnosticError with all that is wrong (POL01x, REG…)."""
    checked = rules.check(code)
    program = rego.compile(checked.modules, dialect=code.dialect, capabilities=CAPABILITIES)
    modules = tuple(checked.modules.values())
    facts = replace(checked.facts, texts=texts_in(modules), loops=loops_in(modules))
    return Compiled(program=program, facts=facts)
