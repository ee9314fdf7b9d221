"""Values of external data providers in mutations.

While mutators run, a placeholder stands where a provider's value will be. Once they are done every provider
is asked once, for all its keys, and the placeholders are replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from sekisho.policy.providers import Answer, ProviderError, Providers


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


class Resolved(NamedTuple):
    """The values that replace placeholders; ``failures`` says what a provider did not answer, and for which.

    A placeholder without a value is one whose failure policy is Fail.
    """

    values: Mapping[Placeholder, str]
    failures: tuple[tuple[Placeholder, str], ...]


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


def resolve(found: Iterable[Placeholder], providers: Providers | None) -> Resolved:
    """Ask the providers for these placeholders' values."""
    wanted = list(dict.fromkeys(found))
    keys: dict[str, list[str]] = {}
    for item in wanted:
        keys.setdefault(item.reference.provider, []).append(item.key)
    answers = {name: _ask(name, tuple(dict.fromkeys(row)), providers) for name, row in keys.items()}
    values: dict[Placeholder, str] = {}
    failures: list[tuple[Placeholder, str]] = []
    for item in wanted:
        value, problem = _value(item, answers[item.reference.provider])
        if problem:
            failures.append((item, problem))
            value = _fallback(item)
        if value is not None:
            values[item] = value
    return Resolved(values, tuple(failures))


def _ask(name: str, keys: tuple[str, ...], providers: Providers | None) -> Mapping[str, Answer] | str:
    """The answers, or why there are none."""
    if providers is None:
        return f"failed to find external data provider {name}: no provider is at hand here"
    try:
        return providers.ask(name, keys)
    except ProviderError as error:
        return f"failed to send external data request to provider {name}: {error}"


def _value(item: Placeholder, answers: Mapping[str, Answer] | str) -> tuple[str | None, str]:
    """The value of a placeholder and an empty text, or None and why there is none. Texts are Gatekeeper's."""
    name = item.reference.provider
    if isinstance(answers, str):
        return None, answers
    answer = answers.get(item.key)
    if answer is None:
        return None, f"failed to find external data item in response for provider {name}"
    if answer.error:
        return None, f"failed to retrieve external data item from provider {name}: {answer.error}"
    if not isinstance(answer.value, str):
        return None, f"failed to convert external data item value from provider {name} to string"
    return answer.value, ""


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
