"""Durations, timestamps and patterns that are written must be right (Kubernetes asks for that)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sekisho.cel import codes
from sekisho.cel.errors import CelError
from sekisho.cel.nodes import Call, Literal, Node
from sekisho.cel.problems import Problems
from sekisho.cel.times import parse_duration, parse_timestamp
from sekisho.lang import re2


def _timestamp(value: object) -> bool:
    if not isinstance(value, str):
        return True  # a number of seconds, which the evaluation checks
    return _parses(parse_timestamp, value)


def _duration(value: object) -> bool:
    return not isinstance(value, str) or _parses(parse_duration, value)


def _pattern(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        re2.compile(value)
    except re2.PatternError:
        return False
    return True


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except CelError:
        return False
    return True


_CHECKED: Final[dict[str, Callable[[object], bool]]] = {
    "timestamp": _timestamp,
    "duration": _duration,
    "matches": _pattern,
}


def check_literals(root: Node, problems: Problems) -> None:
    """Note the literals that are wrong."""
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
