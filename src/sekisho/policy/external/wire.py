"""What goes over the wire: ProviderRequest and ProviderResponse (externaldata.gatekeeper.sh).

Gatekeeper looks at neither ``apiVersion`` nor ``kind`` of a response, and lets a provider answer what it was
not asked. Here a response is one that says so; of two different answers for one key none counts; and what was
not asked for is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.kube.fielderror import shown
from sekisho.policy.external.answers import Outcome, State
from sekisho.policy.external.kinds import GROUP

VERSIONS: Final = ("v1beta1", "v1alpha1")
RESPONSE: Final = "ProviderResponse"

KEYS: Final = Limit(
    "keys for a provider",
    1_000_000,
    "characters",
    "that is ten thousand images",
)
BODY: Final = Limit(
    "the answer of a provider", 2_000_000, "bytes", "that is a kilobyte for each of two thousand keys"
)
DEPTH: Final = Limit("JSON of a provider", 100, "levels", "no fact about a key is nested deeper")

NAMED: Final = 3
"""Keys that a message names; more hide it."""

_INTEGRAL: Final = 2.0**63
"""Floats without a fraction below this are integers, as Go writes them."""


class WireError(Exception):
    """A response cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A response. ``oddities`` are sentences about what it should not have, or should."""

    outcomes: Mapping[str, Outcome]
    oddities: tuple[str, ...] = ()


def request(keys: Sequence[str]) -> bytes:
    """The body of a request for these keys."""
    import orjson

    body = {"apiVersion": f"{GROUP}/{VERSIONS[0]}", "kind": "ProviderRequest", "request": {"keys": [*keys]}}
    return orjson.dumps(body)


def read_response(value: Any, keys: Sequence[str], status: int) -> Read:
    """The outcomes for these keys in a response. Raises WireError for what is no response.

    1. It is an object that says it is a ProviderResponse, of a version that there is.
    2. Its fields have the types that Gatekeeper reads; names are read in any case, as Go reads them.
    3. No key has two answers that differ.
    4. Answers for what was not asked are left out, and keys without an answer are told.
    """
    items, shared = read_items(value, status)
    asked = dict.fromkeys(keys)
    missing = Outcome(
        state=State.MISSING,
        system_error=shared.system_error,
        status=status,
        idempotent=shared.idempotent,
    )
    outcomes = {key: items.get(key, missing) for key in asked}
    oddities: list[str] = []
    if extra := [key for key in items if key not in asked]:
        oddities.append(f"it answers what it was not asked: {_names(extra)}")
    absent = [key for key in asked if key not in items]
    if absent and not shared.system_error.strip():
        oddities.append(f"it does not answer for {_names(absent)}")
    return Read(outcomes=outcomes, oddities=tuple(oddities))


def read_items(value: Any, status: int = 200) -> tuple[dict[str, Outcome], Outcome]:
    """The outcomes in a response by key, and what all of them share. Raises WireError."""
    if not isinstance(value, dict):
        raise WireError(f"it is no object: {shown(value)}")
    version, kind = _text(value, "apiVersion"), _text(value, "kind")
    if version not in {f"{GROUP}/{name}" for name in VERSIONS} or kind != RESPONSE:
        raise WireError(f"it is no {RESPONSE} of {GROUP}/{VERSIONS[0]} but {_of_kind(version, kind)}")
    response = _field(value, "response", dict, {})
    shared = Outcome(
        system_error=_text(response, "systemError"),
        status=status,
        idempotent=_field(response, "idempotent", bool, False),
    )
    found: dict[str, Outcome] = {}
    for item in _field(response, "items", list, []):
        if not isinstance(item, dict):
            raise WireError(f"an item is no object: {shown(item)}")
        key = _text(item, "key")
        outcome = Outcome(
            value=_plain(_get(item, "value")),
            error=_text(item, "error"),
            system_error=shared.system_error,
            status=status,
            idempotent=shared.idempotent,
        )
        if found.setdefault(key, outcome) != outcome:
            raise WireError(f"it has two different answers for {shown(key)}")
    return found, shared


def _of_kind(version: str, kind: str) -> str:
    return f"{shown(kind)} of {shown(version)}" if version or kind else "an object without a kind"


def _names(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return ", ".join(shown(key) for key in keys[:NAMED]) + more


def _get(row: Mapping[str, Any], name: str) -> Any:
    """A field, whose name may be written in another case: Go's decoder takes those too."""
    if name in row:
        return row[name]
    lower = name.lower()
    return next((value for key, value in row.items() if key.lower() == lower), None)


def _field(row: Mapping[str, Any], name: str, kind: type, absent: Any) -> Any:
    value = _get(row, name)
    if value is None:
        return absent
    if not isinstance(value, kind):
        raise WireError(f"{name} has the wrong type: {shown(value)}")
    return value


def _text(row: Mapping[str, Any], name: str) -> str:
    return str(_field(row, name, str, ""))


def _plain(value: Any) -> Any:
    """The value with floats that have no fraction as integers: Go reads and writes numbers so."""
    if type(value) is float:
        return int(value) if value.is_integer() and abs(value) < _INTEGRAL else value
    if type(value) is list:
        return [_plain(item) for item in value]
    if type(value) is dict:
        return {key: _plain(item) for key, item in value.items()}
    return value
