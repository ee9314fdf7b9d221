"""The checks between parser and planner: names, safety, recursion, types. See README.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sekisho.rego import builtins
from sekisho.rego.builtins.table import Builtin
from sekisho.rego.capabilities import NONE, Capabilities
from sekisho.rego.check.errors import ERRORS
from sekisho.rego.check.pipeline import Check
from sekisho.rego.check.program import Checked, CheckedQuery, FunctionWith, Rule, TreeNode, written_name
from sekisho.rego.check.tree import Exists
from sekisho.rego.nodes import Body, Module

__all__ = [
    "Checked",
    "CheckedQuery",
    "FunctionWith",
    "Rule",
    "TreeNode",
    "check",
    "check_query",
    "known_builtins",
    "written_name",
]


def check(
    modules: Sequence[Module],
    *,
    capabilities: Capabilities = NONE,
    strict: bool = False,
    keep_print: bool = True,
    exists: Exists | None = None,
    max_errors: int = ERRORS.value,
) -> Checked:
    """Check modules together. DiagnosticError (REG2xx to REG4xx) with the errors if they do not pass.

    ``strict`` adds the checks of ``opa check --strict``. Without ``keep_print``, calls of ``print`` are
    dropped. ``exists`` says whether base data has a value at a path, for conflicts of rules with data. At
    most ``max_errors`` errors are told; 0 means all.
    """
    one = Check(
        known_builtins(capabilities),
        capabilities,
        strict=strict,
        keep_print=keep_print,
        max_errors=max_errors,
    )
    return one.modules(modules, exists)


def check_query(
    checked: Checked,
    body: Body,
    module: Module,
    *,
    capabilities: Capabilities = NONE,
    strict: bool = False,
    keep_print: bool = True,
) -> CheckedQuery:
    """Check a query against a checked program. DiagnosticError like ``check``.

    ``module`` is the query's context: its source, its package and its imports; its rules are not looked at.
    """
    one = Check(known_builtins(capabilities), capabilities, strict=strict, keep_print=keep_print)
    return one.query(checked, body, module)


def known_builtins(capabilities: Capabilities) -> Mapping[str, Builtin]:
    """The built-ins that a capability set has."""
    table = builtins.load()
    if capabilities.builtins is None and not capabilities.functions:
        return table
    found = {
        name: row
        for name, row in table.items()
        if capabilities.builtins is None or name in capabilities.builtins
    }
    for name, extra in capabilities.functions.items():
        assert isinstance(extra, Builtin)
        found[name] = extra
    return found
