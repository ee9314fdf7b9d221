"""What the rules of a schema say of an object, as the API server says it (apiextensions schema/cel).

Rules that use oldSelf are asked where there is an old value, or where they take it as optional. On an update,
a rule that was broken before and whose value did not change is only a warning.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sekisho.cel.errors import CelError
from sekisho.cel.kubernetes.rules import codes
from sekisho.cel.kubernetes.rules.compiled import OLD_SELF, SELF, Node, Rule, Rules
from sekisho.cel.kubernetes.rules.fieldpath import go_path
from sekisho.cel.program import Bounds, Program
from sekisho.cel.values import NONE, Optional
from sekisho.diag import Code, Deadline, DiagnosticError, Limit, Path, path_text
from sekisho.kube import fielderror

CALL: Final = Limit("the cost of a rule", 1_000_000, "units", "as the API server: about 0.1 seconds")
BUDGET: Final = Limit("the cost of all rules", 10_000_000, "units", "as the API server: about a second")
MESSAGE: Final = Limit("an evaluated message", 5 * 1024, "bytes", "the API server shows no longer ones")

SPENT: Final = "validation failed due to running out of cost budget, no further validation rules will be run"
CANCELLED: Final = "operation cancelled: actual cost limit exceeded"

ROOT: Final = "<nil>"
"""What the API server writes for the path of a whole object: Go's word for no path."""

_UNSET: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule that does not hold, or that could not be evaluated: at which field, and the API server's words.

    ``field`` is the field as the API server writes it, where the key of a map stands in brackets.
    ``warning``: the field was so before the update, so that the API server only warns.
    """

    code: Code
    path: Path
    field: str
    detail: str
    rule: Rule | None = None
    warning: bool = False

    @property
    def message(self) -> str:
        """The whole message: ``spec.x: Invalid value: …``."""
        return f"{self.field}: {self.detail}"


class _Stop(Exception):
    """The budget is spent: no more rules are asked."""


@dataclass(frozen=True, slots=True)
class _Old:
    """The old value at the same place, ``_UNSET`` where none corresponds, and whether it is the same.

    ``same_above``: the nearest place around this one that has an old value is the same as it was.
    """

    value: Any = _UNSET
    same: bool = False
    same_above: bool = False

    @property
    def unchanged(self) -> bool:
        """Whether this place, or what surrounds it if nothing corresponds to it, is as it was."""
        return self.same if self.value is not _UNSET else self.same_above


NOTHING_OLD: Final = _Old()


class _Spot(NamedTuple):
    """A value, what it was before (None: nothing), and where it stands, as steps and as messages say it."""

    value: Any
    old: Any
    ratchet: _Old
    path: Path
    shown: str

    def below(self, step: str | int, value: Any, old: Any, *, key: bool = False) -> _Spot:
        """A part of the value; ``key``: of a map, whose keys stand in brackets, as in Go."""
        shown = go_path(self.shown, step, key=key)
        return _Spot(value, old, _below(self.ratchet, value, old), (*self.path, step), shown)


@dataclass(slots=True)
class _Run:
    """One object's way through the rules."""

    deadline: Deadline | None
    left: int = BUDGET.value
    found: list[Broken] = field(default_factory=list)

    def visit(self, node: Node, spot: _Spot) -> None:
        """Ask the rules of a value and of what is below it."""
        value, old = spot.value, spot.old
        if value is None:
            return
        if node.rules:
            self._ask(node, spot)
        for part in node.all_of:
            self.visit(part, spot._replace(ratchet=_Old(same_above=spot.ratchet.same_above)))
        if isinstance(value, dict):
            before = old if isinstance(old, dict) else {}
            for key, item in value.items():
                child = node.properties.get(key)
                if child is not None:
                    self.visit(child, spot.below(key, item, before.get(key)))
                elif node.additional is not None:
                    self.visit(node.additional, spot.below(key, item, before.get(key), key=True))
        elif isinstance(value, list) and node.items is not None:
            matched = _Matcher(node, old)
            for index, item in enumerate(value):
                self.visit(node.items, spot.below(index, item, matched.find(item)))

    def _ask(self, node: Node, spot: _Spot) -> None:
        if self.left <= 0:
            self._fail(node, spot, SPENT)
            raise _Stop
        try:
            own = node.declared.value(spot.value)
            before = None if spot.old is None else node.declared.value(spot.old)
        except CelError as error:
            self._fail(node, spot, f"{error} evaluating rule: {node.rules[0].written.shown}")
            return
        for rule in node.rules:
            optional = rule.written.optional_old_self
            if rule.uses_old and spot.old is None and not optional:
                continue
            variables: dict[str, Any] = {SELF: own}
            if optional:
                variables[OLD_SELF] = NONE if spot.old is None else Optional(before)
            elif spot.old is not None:
                variables[OLD_SELF] = before
            self._rule(node, rule, variables, spot)

    def _rule(self, node: Node, rule: Rule, variables: dict[str, Any], spot: _Spot) -> None:
        try:
            holds = self._run(rule.program, variables)
        except DiagnosticError as error:
            self._rule_failed(node, rule, error.diagnostics[0].message, spot)
            return
        except _Stop:
            self._fail(node, spot, SPENT)
            raise
        if holds is True:
            return
        code = codes.BROKEN
        try:
            detail = _worded(rule, spot.value, self._message(rule, variables))
        except _Unsaid as unsaid:
            code, detail = codes.FAILED, fielderror.invalid((), node.schema.type, str(unsaid))
        self.found.append(
            Broken(
                code=code,
                path=(*spot.path, *rule.written.field_path),
                field=rule.shown_at(spot.shown) or ROOT,
                detail=detail,
                rule=rule,
                warning=not rule.uses_old and spot.ratchet.unchanged,
            )
        )
        if code is codes.FAILED:
            raise _Stop

    def _run(self, program: Program, variables: dict[str, Any]) -> Any:
        """The value of a program, whose cost is paid from the budget. Raises DiagnosticError, _Stop."""
        outcome = program.run(variables, bounds=Bounds(cost=CALL.value, deadline=self.deadline))
        if outcome.cost > self.left:
            raise _Stop
        self.left -= outcome.cost
        return outcome.value

    def _rule_failed(self, node: Node, rule: Rule, error: str, spot: _Spot) -> None:
        shown, cancelled = rule.written.shown, error.startswith(CANCELLED)
        error = CANCELLED if cancelled else error
        if error.startswith("no such overload"):
            text = (
                f"'{error}': call arguments did not match a supported operator, function or macro signature "
                f"for rule: {shown}"
            )
        elif cancelled:
            why = "no further validation rules will be run due to call cost exceeds limit for rule"
            text = f"'{error}': {why}: {shown}"
        else:
            text = f"{error} evaluating rule: {shown}"
        self._fail(node, spot, text, rule)
        if cancelled:
            raise _Stop

    def _fail(self, node: Node, spot: _Spot, text: str, rule: Rule | None = None) -> None:
        detail = fielderror.invalid((), node.schema.type, text)
        where = spot.shown or ROOT
        self.found.append(Broken(code=codes.FAILED, path=spot.path, field=where, detail=detail, rule=rule))

    def _message(self, rule: Rule, variables: dict[str, Any]) -> str:
        """The evaluated message where it can be shown, else the written one. Raises _Unsaid."""
        if rule.message is None:
            return rule.written.default_message
        source = rule.written.message_expression
        try:
            text = self._run(rule.message, variables)
        except _Stop:
            raise _Unsaid(
                "messageExpression evaluation failed due to running out of cost budget, no further "
                "validation rules will be run"
            ) from None
        except DiagnosticError as error:
            if error.diagnostics[0].message.startswith(CANCELLED):
                raise _Unsaid(
                    "no further validation rules will be run due to call cost exceeds limit for "
                    f'messageExpression: "{source}"'
                ) from None
            return rule.written.default_message
        text = text.strip() if isinstance(text, str) else ""
        if not text or "\n" in text or len(text.encode("utf-8", "surrogatepass")) > MESSAGE.value:
            return rule.written.default_message
        return text


class _Unsaid(Exception):
    """A message could not be evaluated within the budget."""


def validate_rules(
    rules: Rules, value: Any, old: Any = None, *, under: Path = (), deadline: Deadline | None = None
) -> tuple[Broken, ...]:
    """What the rules say of a value, and of what it was before an update, in the order of its fields.

    The value has its defaults and is valid by its schema. ``under`` is where it stands in its object.
    """
    if rules.root is None:
        return ()
    run = _Run(deadline)
    ratchet = NOTHING_OLD if old is None else _Old(old, _same(value, old), False)
    with suppress(_Stop):  # what has been found says why
        run.visit(rules.root, _Spot(value, old, ratchet, under, path_text(under)))
    return tuple(run.found)


def _worded(rule: Rule, value: Any, detail: str) -> str:
    """The message for a rule's reason. Of objects and lists the value is not repeated."""
    reason, path = rule.written.reason, ()
    if reason == "FieldValueForbidden":
        return fielderror.forbidden(path, detail)
    if reason == "FieldValueRequired":
        return fielderror.required(path, detail)
    whole = isinstance(value, dict | list)
    if reason == "FieldValueDuplicate":
        return fielderror.duplicate_whole(path) if whole else fielderror.duplicate(path, value)
    return fielderror.invalid_whole(path, detail) if whole else fielderror.invalid(path, value, detail)


class _Matcher:
    """Finds the old item that an item of a keyed list was; items of other lists correspond to nothing."""

    def __init__(self, node: Node, old: Any) -> None:
        merging = node.schema.merging
        self._keys = merging.list_keys if merging.list_type == "map" else ()
        self._old: dict[Any, Any] = {}
        if self._keys and isinstance(old, list):
            for item in old:
                key = self._key(item)
                if key is not None:
                    self._old.setdefault(key, item)

    def _key(self, item: Any) -> Any:
        if not isinstance(item, dict):
            return None
        found = [item.get(key) for key in self._keys]
        if any(value is None or isinstance(value, dict | list) for value in found):
            return None
        return tuple((type(value), value) for value in found)

    def find(self, item: Any) -> Any:
        """The old item with the same keys, None if there is none."""
        key = self._key(item) if self._old else None
        return None if key is None else self._old.get(key)


def _below(ratchet: _Old, value: Any, old: Any) -> _Old:
    """What is known of the old value one step further down."""
    if ratchet.value is _UNSET:
        return ratchet
    if old is None:
        return _Old(same_above=ratchet.same)
    # What is equal as a whole is equal in its parts.
    return _Old(old, ratchet.same or _same(value, old), ratchet.same)


def _same(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal; true is not 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(value, b[key]) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)
