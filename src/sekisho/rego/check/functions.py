"""Which function a call means: a built-in or a rule, how many operands it takes, whether it may be called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from sekisho.rego import codes
from sekisho.rego.builtins.table import Builtin
from sekisho.rego.check.errors import Errors, Stage
from sekisho.rego.check.program import TreeNode
from sekisho.rego.check.text import path_text, term_text
from sekisho.rego.check.typecheck.operands import operands_text, report_operands
from sekisho.rego.check.typecheck.references import first_type
from sekisho.rego.nodes import Call, Module, Node
from sekisho.rego.types import UNKNOWN

PRINT: Final = "print"


class Function(NamedTuple):
    """What a call means. ``row`` is its built-in; without one it is a rule of ``arity`` arguments."""

    text: str
    arity: int
    row: Builtin | None


class Functions:
    """The functions that the modules of one check may call."""

    __slots__ = ("_builtins", "_denied", "_errors", "_lax", "_paths", "_tree")

    def __init__(
        self,
        tree: TreeNode,
        builtins: Mapping[str, Builtin],
        errors: Errors,
        *,
        denied: frozenset[str],
        lax: bool,
    ) -> None:
        """``builtins`` are those that exist; ``denied`` may not be called; ``lax`` allows deprecated ones."""
        self._tree = tree
        self._builtins = builtins
        self._errors = errors
        self._denied = denied
        self._lax = lax
        self._paths: dict[tuple[str, ...], Function | None] = {}

    def builtin(self, name: str) -> Function | None:
        """The built-in of this name."""
        row = self._builtins.get(name)
        return None if row is None else Function(name, len(row.type.args), row)

    def rule(self, path: tuple[str, ...]) -> Function | None:
        """The function, or other rule, at this path."""
        if path not in self._paths:
            node = self._tree.find(path)
            found = None
            if node is not None and node.kind is not None:
                found = Function(path_text(path), node.arity or 0, None)
            self._paths[path] = found
        return self._paths[path]

    def denies(self, name: str) -> bool:
        """Whether this built-in may not be called."""
        return name in self._denied

    def undefined(self, name: str, at: tuple[Module, Node]) -> None:
        """Report a call of what is no function."""
        self._errors.add(
            Stage.FUNCTIONS,
            codes.UNDEFINED_FUNCTION,
            f"undefined function {name}",
            at,
            help="" if self._errors.enough() else self._nearest(name),
        )

    def check(
        self, function: Function, call: Call, at: tuple[Module, Node], *, nested: bool, outdated: bool
    ) -> None:
        """Report a call with the wrong number of operands, of a denied or of a dropped built-in.

        ``at`` is where errors point. ``nested`` says that the value of the call is used; ``outdated`` that
        deprecated built-ins are errors.
        """
        given = len(call.args)
        if given != function.arity and (nested or given != function.arity + 1):
            self._arity(function, call, at, nested=nested)
        if function.row is None:
            return
        if nested and function.row.type.result is None:
            message = f"{term_text(call)} used as value"
            self._errors.add(Stage.VOID, codes.VOID, message, at)
        if function.text in self._denied:
            message = f"unsafe built-in function calls in expression: {function.text}"
            self._errors.add(Stage.DENIED, codes.DENIED, message, at)
        if function.row.deprecated and outdated and not self._lax:
            message = f"deprecated built-in function calls in expression: {function.text}"
            self._errors.add(
                Stage.DEPRECATED,
                codes.DEPRECATED,
                message,
                (at[0], call.name) if nested else at,
                help=_REPLACEMENTS.get(function.text, ""),
            )

    def _arity(self, function: Function, call: Call, at: tuple[Module, Node], *, nested: bool) -> None:
        given = len(call.args)
        if function.row is None:
            plural = "argument" if given == 1 else "arguments"
            message = f"function {function.text} has arity {function.arity}, got {given} {plural}"
            self._errors.add(Stage.FUNCTIONS, codes.ARITY, message, at)
            return
        have = [first_type(arg) for arg in call.args]
        if nested:
            have.append(UNKNOWN)
        want = operands_text(function.text, function.row.type, result=False)
        report_operands(
            self._errors, Stage.FUNCTIONS, f"{function.text}: arity mismatch", at, have=have, want=want
        )

    def _nearest(self, name: str) -> str:
        known: Iterable[str] = [
            *self._builtins,
            *(path_text(node.path) for node in self._tree.below() if node.arity),
        ]
        close = get_close_matches(name, known, n=1, cutoff=0.75)
        if not close:
            short = name.rpartition(".")[2]
            close = [full for full in known if full.rpartition(".")[2] == short][:1]
        return f"did you mean `{close[0]}`?" if close else ""


_REPLACEMENTS: Final = {
    "any": "write `true in xs`",
    "all": "write `every x in xs { x }`",
    "re_match": "use `regex.match`",
    "set_diff": "use the operator `-`",
    "net.cidr_overlap": "use `net.cidr_contains`",
    "cast_array": "use `is_array` and, for sets, `[x | some x in xs]`",
    "cast_boolean": "use `is_boolean`",
    "cast_null": "use `is_null`",
    "cast_object": "use `is_object`",
    "cast_set": "use `is_set` and, for arrays, `{x | some x in xs}`",
    "cast_string": "use `is_string`",
}
