"""Values of external data providers in mutations.

While mutators run, a placeholder stands where a provider's value will be. Once they are done every provider
is asked once, for all its keys, and the placeholders are replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from sekisho.diag import Deadline
from sekisho.policy.external import Absent, Outcome, Providers, State
from sekisho.policy.mutation.edit import go_type


class FailurePolicy(Enum):
    """What becomes of a field for which the provider gave no value."""

    FAIL = "Fail"
    IGNORE = "Ignore"
    USE_DEFAULT = "UseDefault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a mutator says of its provider."""

    provider: str
    failure: FailurePolicy = FailurePolicy.FAIL
    default: str = ""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Stands for the provider's value of a key."""

    reference: Reference
    key: str


class Failure(NamedTuple):
    """Why there is no value for a placeholder, and what to do about it."""

    item: Placeholder
    problem: str
    help: str


class Resolved(NamedTuple):
    """The values that replace placeholders; ``failures`` are those of which providers gave none.

    A placeholder without a value is one whose failure policy is Fail.
    """

    values: Mapping[Placeholder, str]
    failures: tuple[Failure, ...]


def placeholders(value: Any) -> Iterator[Placeholder]:
    """Every placeholder in a value."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Placeholder):
            yield item
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def resolve(
    found: Iterable[Placeholder], providers: Providers | None, deadline: Deadline | None = None
) -> Resolved:
    """Ask the providers for these placeholders' values, all of them at the same time."""
    wanted = list(dict.fromkeys(found))
    keys: dict[str, list[str]] = {}
    for item in wanted:
        keys.setdefault(item.reference.provider, []).append(item.key)
    outcomes = (providers or Absent()).ask(keys, deadline).outcomes
    values: dict[Placeholder, str] = {}
    failures: list[Failure] = []
    for item in wanted:
        outcome = outcomes[item.reference.provider][item.key]
        value: str | None
        if problem := _problem(item.reference.provider, outcome):
            help = outcome.cause.help if outcome.cause and outcome.state is State.UNASKED else ""
            failures.append(Failure(item, problem, help))
            value = _fallback(item)
        else:
            value = outcome.value
        if value is not None:
            values[item] = value
    return Resolved(values, tuple(failures))


def _problem(name: str, outcome: Outcome) -> str:
    """Why an outcome is no value for a field, empty if it is one. Texts are Gatekeeper's."""
    if outcome.state is State.UNASKED:
        return f"failed to find external data provider {name}: {outcome.system_error}"
    if outcome.state is State.FAILED:
        return f"failed to send external data request to provider {name}: {outcome.system_error}"
    invalid = f"failed to validate external data response from provider {name}"
    if said := outcome.system_error.strip():
        return f"{invalid}: non-empty system error: {said}"
    if not outcome.idempotent:
        return f"{invalid}: non-idempotent response"
    if outcome.state is State.MISSING:
        return f"failed to find external data item in response for provider {name}"
    if outcome.error:
        return f"failed to retrieve external data item from provider {name}: {outcome.error}"
    if not isinstance(outcome.value, str):
        kind = go_type(outcome.value)
        return f"failed to convert external data item value from provider {name} to string, got type {kind}"
    return ""


def _fallback(item: Placeholder) -> str | None:
    policy = item.reference.failure
    if policy is FailurePolicy.FAIL:
        return None
    return item.key if policy is FailurePolicy.IGNORE else item.reference.default


def replaced(value: Any, values: Mapping[Placeholder, str]) -> Any:
    """The value with its placeholders replaced; what has none is shared."""
    if isinstance(value, Placeholder):
        return values[value]
    if isinstance(value, dict):
        pairs = {key: replaced(item, values) for key, item in value.items()}
        return value if all(pairs[key] is item for key, item in value.items()) else pairs
    if isinstance(value, list):
        items = [replaced(item, values) for item in value]
        return value if all(map(_is, value, items)) else items
    return value


def _is(left: Any, right: Any) -> bool:
    return left is right
