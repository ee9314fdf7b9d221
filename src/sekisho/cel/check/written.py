"""What Kubernetes asks of what is written, once types are known.

Durations, timestamps and patterns must be right; the elements of a list or map that is written out must be of
one type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sekisho.cel import codes
from sekisho.cel.check.assign import unwrapped
from sekisho.cel.errors import CelError
from sekisho.cel.nodes import Call, ListNode, Literal, MapNode, Node
from sekisho.cel.problems import Problems
from sekisho.cel.times import parse_duration, parse_timestamp
from sekisho.cel.types import CelType
from sekisho.lang import re2


def _parses(parse: Callable[[str], object]) -> Callable[[object], bool]:
    def holds(value: object) -> bool:
        if not isinstance(value, str):
            return True  # a number of seconds, which the evaluation checks
        try:
            parse(value)
        except (CelError, re2.PatternError):
            return False
        return True

    return holds


_CHECKED: Final[dict[str, Callable[[object], bool]]] = {
    "timestamp": _parses(parse_timestamp),
    "duration": _parses(parse_duration),
    "matches": _parses(re2.compile),
}


def check_literals(root: Node, problems: Problems) -> None:
    """Note the durations, timestamps and patterns that are wrong."""
    stack = [root]
    while stack:
        node = stack.pop()
        stack.extend(node.children())
        if not isinstance(node, Call) or node.function not in _CHECKED:
            continue
        at = 1 if node.function == "matches" else 0
        argument = node.args[at] if len(node.args) > at else None
        if isinstance(argument, Literal) and not _CHECKED[node.function](argument.value):
            message = f"invalid {node.function} argument"
            problems.add(codes.INVALID_LITERAL, message, argument.start, argument.end)


def check_mixed(root: Node, mixed: frozenset[str], problems: Problems) -> None:
    """Note lists and maps with elements of several types, but not within calls of ``mixed`` functions."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Call) and node.function in mixed:
            continue
        stack.extend(node.children())
        if isinstance(node, ListNode):
            for item, type, first in _later(
                [(item, at in node.optional) for at, item in enumerate(node.elements)]
            ):
                if not type.same(first):
                    _mismatch(problems, item, first, type)
                    break
        elif isinstance(node, MapNode):
            keys = [(entry.key, False) for entry in node.entries]
            values = [(entry.value, entry.optional) for entry in node.entries]
            for item, type, first in (*_later(keys), *_later(values)):
                if not type.same(first):
                    _mismatch(problems, item, first, type)


def _later(items: list[tuple[Node, bool]]) -> list[tuple[Node, CelType, CelType]]:
    """The elements after the first, with their types and that of the first."""
    types = [unwrapped(node.type)[0] if optional else node.type for node, optional in items]
    return [(node, type, types[0]) for (node, _), type in zip(items[1:], types[1:], strict=True)]


def _mismatch(problems: Problems, node: Node, expected: CelType, found: CelType) -> None:
    message = f"expected type '{expected}' but found '{found}'"
    problems.add(codes.MISMATCH, message, node.start, node.end)
