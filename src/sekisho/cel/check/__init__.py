"""Names and types of a tree."""

from __future__ import annotations

from sekisho.cel.check.checker import Checker
from sekisho.cel.check.literals import check_literals
from sekisho.cel.environment import Environment
from sekisho.cel.nodes import Node
from sekisho.cel.problems import Problems


def check(root: Node, environment: Environment, problems: Problems) -> Node:
    """The tree with what its names mean and which types it has; problems are noted (CEL1xx)."""
    checked = Checker(environment, problems).run(root)
    if environment.options.literals and not problems:
        check_literals(checked, problems)
    return checked


__all__ = ["check"]
