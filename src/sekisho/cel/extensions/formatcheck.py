"""Checks a call of ``format`` whose template and list of values are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sekisho.cel import codes
from sekisho.cel.errors import CelError
from sekisho.cel.extensions.templates import clauses
from sekisho.cel.library import Validator
from sekisho.cel.nodes import Call, ListNode, Literal, MapNode, Node
from sekisho.cel.types import Kind
from sekisho.diag import Code

_UNKNOWN: Final = frozenset({Kind.DYN, Kind.ANY, Kind.PARAM, Kind.WRAPPER, Kind.ERROR})
_INTEGERS: Final = frozenset({Kind.INT, Kind.UINT})
_TEXTS: Final = frozenset({Kind.STRING, Kind.BYTES})
_SHOWN: Final = frozenset(
    {
        *_INTEGERS,
        *_TEXTS,
        *(Kind.LIST, Kind.MAP, Kind.DOUBLE, Kind.BOOL),
        *(Kind.TIMESTAMP, Kind.DURATION, Kind.TYPE, Kind.NULL),
    }
)

_COMMON: Final = {
    "s": _SHOWN,
    "b": _INTEGERS | {Kind.BOOL},
    **dict.fromkeys("xX", _INTEGERS | _TEXTS),
    "o": _INTEGERS,
}
TAKES_V1: Final = {**_COMMON, "d": _INTEGERS, **dict.fromkeys("fe", frozenset({Kind.DOUBLE, Kind.STRING}))}
TAKES_V2: Final = {**_COMMON, **dict.fromkeys("dfe", _INTEGERS | {Kind.DOUBLE})}
"""The kinds of values that each verb takes."""

Takes = Mapping[str, frozenset[Kind]]


def format_validator(takes: Takes, wrong: Mapping[str, str], limit: int) -> Validator:
    """What is wrong with a call, in cel-go's words; ``wrong`` is what a verb says of a type."""

    def validate(call: Call) -> Iterator[tuple[Code, str, Node]]:
        if not call.member or len(call.args) != 2:
            return
        template, values = call.args
        if not isinstance(template, Literal) or not isinstance(values, ListNode):
            return
        if not isinstance(template.value, str):
            return
        for message, node in _wrong(call, template.value, values.elements, (takes, wrong, limit)):
            yield codes.TEMPLATE, message, node

    return validate


def _wrong(
    call: Call, template: str, values: list[Node], rules: tuple[Takes, Mapping[str, str], int]
) -> Iterator[tuple[str, Node]]:
    takes, wrong, limit = rules
    taken = 0
    try:
        for piece in clauses(template, len(values), limit):
            if isinstance(piece, str):
                continue
            bad = _refused(values[taken], takes[piece.verb], deep=piece.verb == "s")
            if bad is not None:
                yield f"error during formatting: {wrong[piece.verb]}{bad.type.name}", bad
                return
            taken += 1
    except CelError as error:
        yield error.message, call
        return
    if taken < len(values):
        count = f"expected {taken}, got {len(values)}"
        yield f"too many arguments supplied to string.format ({count})", call


def _refused(node: Node, kinds: frozenset[Kind], *, deep: bool) -> Node | None:
    """The node of a value that a verb does not take: this one, or one within a list or map."""
    if node.type.kind not in _UNKNOWN and node.type.kind not in kinds:
        return node
    inner: list[Node] = []
    if deep and isinstance(node, ListNode):
        inner = node.elements
    elif deep and isinstance(node, MapNode):
        inner = [part for entry in node.entries for part in (entry.key, entry.value)]
    refused = (_refused(part, kinds, deep=True) for part in inner)
    return next(filter(None, refused), None)
