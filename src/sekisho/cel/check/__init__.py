"""Names and types of a tree."""

from __future__ import annotations

from sekisho.cel.check.checker import Checker
from sekisho.cel.check.written import check_literals, check_mixed
from sekisho.cel.environment import Environment
from sekisho.cel.nodes import Call, Node
from sekisho.cel.problems import Problems


def check(root: Node, environment: Environment, problems: Problems) -> Node:
    """The tree with what its names mean and which types it has; problems are noted (CEL1xx)."""
    told = problems if environment.options.checked else problems.apart()
    checked = Checker(environment, told).run(root)
    if not problems and environment.options.literals:
        check_literals(checked, problems)
    if not told and environment.options.homogeneous:
        check_mixed(checked, environment.mixed, problems)
    if environment.validators and not problems:
        _validate(checked, environment, problems)
    return checked


def _validate(root: Node, environment: Environment, problems: Problems) -> None:
    stack = [root]
    while stack:
        node = stack.pop()
        stack.extend(node.children())
        if isinstance(node, Call):
            for validator in environment.validators.get(node.function, ()):
                for code, message, at in validator(node):
                    problems.add(code, message, at.start, at.end)


__all__ = ["check"]
