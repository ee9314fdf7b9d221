"""Rego's ``external_data``, as Gatekeeper gives it to templates (policy.md 1.3).

``external_data({"provider": name, "keys": [key, …]})`` is an object with ``responses`` (pairs of key and
value), ``errors`` (pairs of key and text), ``status_code`` and ``system_error``. Where there is no answer at
all, ``responses`` and ``errors`` are null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sekisho.diag import Deadline
from sekisho.lang.faults import BuiltinFault
from sekisho.policy.external.answers import Outcome, State
from sekisho.rego.builtins.table import Builtin, Support
from sekisho.rego.context import EvalContext
from sekisho.rego.types import ANY, Function

if TYPE_CHECKING:
    from sekisho.policy.external.session import Session

NAME: Final = "external_data"


def _external_data(context: EvalContext, operand: Any) -> Any:
    name, keys = read_request(operand)
    if not keys:
        return response((), {})
    context.meter.build(4 * len(keys))
    session: Session = context.services[NAME]
    outcomes = session.answer(name, keys, Deadline.after(context.meter.remaining()))
    context.meter.build(sum(_weight(outcome.value) for outcome in outcomes.values()))
    return response(keys, outcomes)


def read_request(operand: Any) -> tuple[str, list[str]]:
    """Provider and keys of a request; raises BuiltinFault for what Gatekeeper cannot read."""
    from sekisho.rego import jsontext

    request = jsontext.plain(operand)
    if not isinstance(request, dict):
        raise BuiltinFault("the request must be an object with provider and keys")
    fields = {name.lower(): value for name, value in request.items()}
    name, keys = fields.get("provider"), fields.get("keys")
    if not isinstance(name, str | None):
        raise BuiltinFault("provider must be a string")
    if not isinstance(keys, list | None) or not all(isinstance(key, str | None) for key in keys or ()):
        raise BuiltinFault("keys must be an array of strings")
    return name or "", [key or "" for key in keys or ()]


def response(keys: Sequence[str], outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """What Rego sees of these outcomes, in the order of the keys; a key that is there twice is told twice."""
    rows = [outcomes[key] for key in keys]
    telling = next((row for row in rows if row.state is State.FAILED), None)
    if telling is not None:
        responses: list[Any] | None = None
        errors: list[Any] | None = None
    else:
        told = [(key, row) for key, row in zip(keys, rows, strict=True) if row.state is State.ANSWERED]
        responses = [[key, row.value] for key, row in told if not row.error]
        errors = [[key, row.error] for key, row in told if row.error]
        telling = next((row for row in rows if row.system_error), rows[0] if rows else None)
    return {
        "responses": responses,
        "errors": errors,
        "status_code": telling.status if telling else 0,
        "system_error": telling.system_error if telling else "",
    }


def _weight(value: Any) -> int:
    """About how many items a value has: long texts are paid for as ``Meter.text`` does."""
    stack, weight = [value], 0
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, str):
            weight += len(item) >> 6
        weight += 1
    return weight


ROW: Final = Builtin(
    name=NAME,
    type=Function((ANY,), ANY),
    function=_external_data,
    context=True,
    deterministic=False,
    support=Support.FULL,
    note="Gatekeeper's; asks the providers of the review",
)
