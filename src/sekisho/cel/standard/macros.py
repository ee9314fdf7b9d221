"""The macros of the standard library, of two-variable comprehensions, of bindings, optionals and blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sekisho.cel.library import Expander, Macro
from sekisho.cel.nodes import Bind, Fold, FoldKind, Ident, ListNode, Literal, Node, OptMap, Select

_RESULTS: Final = frozenset({"__result__", "@result"})
"""Names of cel-go's own, which a variable must not have."""

_SIMPLE: Final = "argument must be a simple name"
_IDENT: Final = "argument is not an identifier"
_OVERWRITES: Final = "iteration variable overwrites accumulator variable"

Expand = Callable[[Expander, Node, Node | None, tuple[Node, ...]], Node | None]


def _name(node: Node) -> str:
    return node.name if isinstance(node, Ident) and not node.absolute else ""


def _has(expander: Expander, call: Node, _target: Node | None, args: tuple[Node, ...]) -> Node:
    argument = args[0]
    if not isinstance(argument, Select) or argument.test or argument.optional:
        return expander.error("invalid argument to has() macro", argument)
    return Select(
        operand=argument.operand,
        field=argument.field,
        test=True,
        start=call.start,
        end=call.end,
        first=call.first,
    )


def _fold(kind: FoldKind, wrong: str) -> Expand:
    """A fold with one variable: ``(variable, [filter,] result)``."""

    def expand(expander: Expander, call: Node, target: Node | None, args: tuple[Node, ...]) -> Node:
        assert target is not None
        variable = _name(args[0])
        if not variable:
            return expander.error(wrong, args[0])
        if variable in _RESULTS:
            return expander.error(_OVERWRITES, args[0])
        return Fold(
            kind=kind,
            range=target,
            variable=variable,
            filter=args[1] if len(args) == 3 else None,
            result=args[-1],
            start=call.start,
            end=call.end,
            first=call.first,
        )

    return expand


def _filter(expander: Expander, call: Node, target: Node | None, args: tuple[Node, ...]) -> Node:
    assert target is not None
    variable = _name(args[0])
    if not variable:
        return expander.error(_IDENT, args[0])
    if variable in _RESULTS:
        return expander.error(_OVERWRITES, args[0])
    item = Ident(name=variable, start=args[0].start, end=args[0].end, first=args[0].first)
    return Fold(
        kind=FoldKind.LIST,
        range=target,
        variable=variable,
        filter=args[1],
        result=item,
        start=call.start,
        end=call.end,
        first=call.first,
    )


def _fold_pairs(kind: FoldKind) -> Expand:
    """A fold with two variables: ``(first, second, [filter,] result)``."""

    def expand(expander: Expander, call: Node, target: Node | None, args: tuple[Node, ...]) -> Node:
        assert target is not None
        names = [_name(args[0]), _name(args[1])]
        for name, argument in zip(names, args, strict=False):
            if not name:
                return expander.error(_SIMPLE, argument)
        if names[0] == names[1]:
            return expander.error(f"duplicate variable name: {names[0]}", args[1])
        for name, argument in zip(names, args, strict=False):
            if name in _RESULTS:
                return expander.error(_OVERWRITES, argument)
        return Fold(
            kind=kind,
            range=target,
            variable=names[0],
            second=names[1],
            filter=args[2] if len(args) == 4 else None,
            result=args[-1],
            start=call.start,
            end=call.end,
            first=call.first,
        )

    return expand


def _optional_map(function: str, *, flat: bool) -> Expand:
    def expand(expander: Expander, call: Node, target: Node | None, args: tuple[Node, ...]) -> Node:
        assert target is not None
        variable = _name(args[0])
        if not variable:
            return expander.error(f"{function}() variable name must be a simple identifier", args[0])
        return OptMap(
            target=target,
            variable=variable,
            result=args[1],
            flat=flat,
            start=call.start,
            end=call.end,
            first=call.first,
        )

    return expand


def _of_cel(target: Node | None) -> bool:
    """Whether something is called on the name ``cel``."""
    return isinstance(target, Ident) and target.name == "cel" and not target.absolute


def _bind(expander: Expander, call: Node, target: Node | None, args: tuple[Node, ...]) -> Node | None:
    if not _of_cel(target):
        return None
    variable = _name(args[0])
    if not variable:
        return expander.error("cel.bind() variable names must be simple identifiers", args[0])
    return Bind(
        variable=variable,
        value=args[1],
        result=args[2],
        start=call.start,
        end=call.end,
        first=call.first,
    )


# --- cel.block: how other tools write what several parts of an expression share ---------------------------


def _block(expander: Expander, call: Node, target: Node | None, args: tuple[Node, ...]) -> Node | None:
    if not _of_cel(target):
        return None
    slots, result = args
    if not isinstance(slots, ListNode) or slots.optional:
        return expander.error("cel.block requires the first arg to be a list literal", slots)
    for index in range(len(slots.elements) - 1, -1, -1):
        result = Bind(
            variable=f"@index{index}",
            value=slots.elements[index],
            result=result,
            start=call.start,
            end=call.end,
            first=call.first,
        )
    return result


def _numbered(function: str, stem: str) -> Expand:
    """``cel.index(1)`` and the like: a name made of numbers."""

    def expand(expander: Expander, call: Node, target: Node | None, args: tuple[Node, ...]) -> Node | None:
        if not _of_cel(target):
            return None
        numbers = []
        for argument in args:
            if not isinstance(argument, Literal) or type(argument.value) is not int or argument.value < 0:
                message = f"{function} requires a single non-negative int constant arg"
                return expander.error(message, argument)
            numbers.append(str(argument.value))
        return Ident(name=f"{stem}{':'.join(numbers)}", start=call.start, end=call.end, first=call.first)

    return expand


def _member(name: str, arguments: int, expand: Expand) -> Macro:
    return Macro(name=name, arguments=arguments, member=True, expand=expand)


STANDARD_MACROS: Final = (
    Macro(name="has", arguments=1, member=False, expand=_has),
    _member("all", 2, _fold(FoldKind.ALL, _SIMPLE)),
    _member("exists", 2, _fold(FoldKind.EXISTS, _SIMPLE)),
    _member("exists_one", 2, _fold(FoldKind.EXISTS_ONE, _SIMPLE)),
    _member("existsOne", 2, _fold(FoldKind.EXISTS_ONE, _SIMPLE)),
    _member("map", 2, _fold(FoldKind.LIST, _IDENT)),
    _member("map", 3, _fold(FoldKind.LIST, _IDENT)),
    _member("filter", 2, _filter),
)

TWO_VARIABLE_MACROS: Final = (
    _member("all", 3, _fold_pairs(FoldKind.ALL)),
    _member("exists", 3, _fold_pairs(FoldKind.EXISTS)),
    _member("existsOne", 3, _fold_pairs(FoldKind.EXISTS_ONE)),
    _member("exists_one", 3, _fold_pairs(FoldKind.EXISTS_ONE)),
    _member("transformList", 3, _fold_pairs(FoldKind.LIST)),
    _member("transformList", 4, _fold_pairs(FoldKind.LIST)),
    _member("transformMap", 3, _fold_pairs(FoldKind.MAP)),
    _member("transformMap", 4, _fold_pairs(FoldKind.MAP)),
    _member("transformMapEntry", 3, _fold_pairs(FoldKind.ENTRIES)),
    _member("transformMapEntry", 4, _fold_pairs(FoldKind.ENTRIES)),
)

OPTIONAL_MACROS: Final = (
    _member("optMap", 2, _optional_map("optMap", flat=False)),
    _member("optFlatMap", 2, _optional_map("optFlatMap", flat=True)),
)

BINDING_MACROS: Final = (_member("bind", 3, _bind),)

BLOCK_MACROS: Final = (
    _member("block", 2, _block),
    _member("index", 1, _numbered("cel.index", "@index")),
    _member("iterVar", 2, _numbered("cel.iterVar", "@it:")),
    _member("accuVar", 2, _numbered("cel.accuVar", "@ac:")),
)

__all__ = [
    "BINDING_MACROS",
    "BLOCK_MACROS",
    "OPTIONAL_MACROS",
    "STANDARD_MACROS",
    "TWO_VARIABLE_MACROS",
]
