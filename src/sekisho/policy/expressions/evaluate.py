"""Evaluating a policy's expressions for one object and one param (apiserver policy/validating, Validate).

Costs are those of the API server: match conditions, validations with their messages, and audit annotations
have a budget each; a single evaluation has a limit of its own. Variables are evaluated when something first
reads them, once for all conditions, once for all validations, and so on, and are paid from that budget.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sekisho import cel
from sekisho.cel.errors import CelError
from sekisho.diag import DiagnosticError, Limit
from sekisho.policy.expressions import names
from sekisho.policy.expressions.compiled import Compiled, Program
from sekisho.policy.expressions.inputs import Inputs
from sekisho.policy.expressions.written import Expression, Validation

CALL: Final = Limit("the cost of an evaluation", 1_000_000, "units", "as the API server: about 0.1 seconds")
BUDGET: Final = Limit("the cost of a policy", 10_000_000, "units", "as the API server: about a second")
CONDITION_BUDGET: Final = Limit(
    "the cost of match conditions", 2_500_000, "units", "as the API server: about a quarter of a second"
)
MESSAGE: Final = Limit("an evaluated message", 5 * 1024, "bytes", "the API server shows no longer ones")

CANCELLED: Final = "operation cancelled: actual cost limit exceeded"
"""How the error of an evaluation begins that costs more than one may."""

OUT_OF_BUDGET: Final = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)


class Result(Enum):
    """How an evaluation went. FAILED: it could not be told."""

    ADMIT = "admit"
    DENY = "deny"
    FAILED = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What came of one validation, or of all of them where there is no ``expression``.

    ``denies``: the object is refused, for a violation or because the failure policy says so. ``index`` is the
    validation's number. ``problem`` is the error of the evaluation, where it stands in the expression.
    """

    result: Result
    denies: bool = False
    message: str = ""
    reason: str = ""
    index: int = 0
    expression: Expression | None = None
    problem: DiagnosticError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """An audit annotation; with an ``error``, why there is no value."""

    key: str
    value: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a policy; nothing where its match conditions do not hold."""

    decisions: tuple[Decision, ...] = ()
    annotations: tuple[Annotation, ...] = ()


def told(error: DiagnosticError) -> str:
    """What is wrong, in the API server's words, which do not name the limit."""
    message = error.diagnostics[0].message
    return CANCELLED if message.startswith(CANCELLED) else message


class OutOfBudget(Exception):
    """The budget of a set of expressions is spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """One expression's value, or the text of its error."""

    value: Any = None
    error: str = ""
    problem: DiagnosticError | None = None


class Variables(dict[str, Any]):
    """``variables``: each is evaluated when it is first read."""

    def __init__(self, programs: Mapping[str, Program], scope: Scope) -> None:
        super().__init__()
        self._programs = programs
        self._scope = scope
        self._failed: dict[str, CelError] = {}

    def __missing__(self, name: str) -> Any:
        if name in self._failed:
            raise self._failed[name]
        program = self._programs[name]
        try:
            value = self._scope.run(program.program)
        except DiagnosticError as error:
            text = told(error)
            failed = CelError(f'composited variable "{name}" fails to evaluate: {text}')
            self._failed[name] = failed
            raise failed from None
        self[name] = value
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a variable, evaluated if it was not yet."""
        return self[name] if name in self._programs else default

    def __contains__(self, name: object) -> bool:
        return name in self._programs


class Scope:
    """One set of expressions that share variables and a budget."""

    def __init__(self, compiled: Compiled, values: dict[str, Any], budget: int, inputs: Inputs) -> None:
        self.left = budget
        self._bounds = cel.Bounds(cost=CALL.value, deadline=inputs.deadline)
        self._values = values
        self._spent = 0
        values[names.VARIABLES] = Variables(compiled.variables, self)

    def run(self, program: cel.Program) -> Any:
        """The value of a program; raises DiagnosticError. Its cost is noted."""
        try:
            outcome = program.run(self._values, bounds=self._bounds)
        except DiagnosticError as error:
            cancelled = error.diagnostics[0].message.startswith(CANCELLED)
            again = self._bounds
            self._spent += CALL.value if cancelled else program.explain(self._values, bounds=again).cost
            raise
        self._spent += outcome.cost
        return outcome.value

    def evaluate(self, program: Program) -> Evaluated:
        """The value of an expression; raises OutOfBudget."""
        self._spent = 0
        try:
            found = Evaluated(value=self.run(program.program))
        except DiagnosticError as error:
            text = told(error)
            message = f"expression '{program.expression.text}' resulted in error: {text}"
            found = Evaluated(error=message, problem=error)
        self.left -= self._spent
        if self.left < 0:
            raise OutOfBudget
        return found


def evaluate(compiled: Compiled, inputs: Inputs, budget: int = BUDGET.value) -> Outcome:
    """What a policy says of an object. ``budget`` is what validations and messages may cost."""
    failing = _Failing(fail=compiled.written.fail)
    if compiled.conditions:
        try:
            if not conditions_hold(compiled, inputs):
                return Outcome()
        except ConditionError as error:
            return failing.outcome(str(error), error.problem)
    scope = Scope(compiled, inputs.activation(authorizer=True), budget, inputs)
    try:
        found = [scope.evaluate(program) for program in compiled.validations]
        messages = _messages(compiled, inputs, found, scope.left, budget)
        decisions = tuple(
            failing.decision(index, row, found[index], messages)
            for index, row in enumerate(compiled.written.validations)
        )
        annotations = tuple(_annotations(compiled, inputs, failing))
    except OutOfBudget:
        return failing.outcome(OUT_OF_BUDGET, None)
    return Outcome(decisions=decisions, annotations=annotations)


class ConditionError(Exception):
    """It cannot be told whether match conditions hold."""

    def __init__(self, message: str, problem: DiagnosticError | None = None) -> None:
        super().__init__(message)
        self.problem = problem


def conditions_hold(compiled: Compiled, inputs: Inputs) -> bool:
    """Whether all match conditions are true, of a policy or of a webhook.

    One that is false decides before any error. Raises ConditionError where one fails, none is false, and the
    failure policy is Fail.
    """
    # The API server evaluates them without the Namespace.
    values = inputs.activation(authorizer=True, namespace=False)
    scope = Scope(compiled, values, CONDITION_BUDGET.value, inputs)
    errors: dict[str, DiagnosticError | None] = {}
    try:
        found = [scope.evaluate(program) for program in compiled.conditions]
    except OutOfBudget:
        if not compiled.written.fail:
            return False
        raise ConditionError(OUT_OF_BUDGET) from None
    if any(row.value is False for row in found if not row.error):
        return False
    errors = {row.error: row.problem for row in found if row.error}
    if not errors:
        return True
    if not compiled.written.fail:
        return False
    texts = list(errors)
    message = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    raise ConditionError(message, errors[texts[0]])


@dataclass(frozen=True, slots=True)
class _Messages:
    """What the message expressions gave; ``spent`` if they ran out of budget."""

    found: tuple[Evaluated | None, ...] = ()
    spent: bool = False


def _messages(
    compiled: Compiled, inputs: Inputs, found: Iterable[Evaluated], left: int, budget: int
) -> _Messages:
    """What the messages are. Where nothing fails nobody reads them.

    The API server evaluates them all the same, and refuses an object if they exceed what is left of the
    budget. That is followed where less than half of it is left.
    """
    if not any(compiled.messages):
        return _Messages()
    if left * 2 >= budget and all(row.value is True for row in found):
        return _Messages()
    scope = Scope(compiled, inputs.activation(authorizer=False), left, inputs)
    try:
        return _Messages(
            tuple(None if program is None else scope.evaluate(program) for program in compiled.messages)
        )
    except OutOfBudget:
        return _Messages(spent=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failing:
    """The failure policy."""

    fail: bool

    def outcome(self, message: str, problem: DiagnosticError | None) -> Outcome:
        decision = Decision(result=Result.FAILED, denies=self.fail, message=message, problem=problem)
        return Outcome(decisions=(decision,))

    def decision(self, index: int, row: Validation, found: Evaluated, messages: _Messages) -> Decision:
        if found.error or messages.spent:
            return Decision(
                result=Result.FAILED,
                denies=self.fail,
                message=found.error or f"failed messageExpression: {OUT_OF_BUDGET}",
                index=index,
                expression=row.expression,
                problem=found.problem,
            )
        if found.value is True:
            return Decision(result=Result.ADMIT, index=index, expression=row.expression)
        message = messages.found[index] if messages.found else None
        return Decision(
            result=Result.DENY,
            denies=True,
            message=_message(row, message),
            reason=row.reason or "Invalid",
            index=index,
            expression=row.expression,
        )


def _message(row: Validation, found: Evaluated | None) -> str:
    """The evaluated message if it can be shown, else the written one, else the expression."""
    text = ""
    if found is not None and not found.error and isinstance(found.value, str):
        text = found.value.strip()
        if "\n" in text or len(text.encode("utf-8", "surrogatepass")) > MESSAGE.value:
            text = ""
    return text or row.message.strip() or f"failed expression: {row.expression.text.strip()}"


def _annotations(compiled: Compiled, inputs: Inputs, failing: _Failing) -> Iterable[Annotation]:
    if not compiled.annotations:
        return
    scope = Scope(compiled, inputs.activation(authorizer=False), BUDGET.value, inputs)
    for row, program in zip(compiled.written.annotations, compiled.annotations, strict=True):
        found = scope.evaluate(program)
        if found.error:
            if failing.fail:
                yield Annotation(key=row.name, error=found.error)
        elif isinstance(found.value, str) and found.value.strip():
            yield Annotation(key=row.name, value=found.value.strip())
