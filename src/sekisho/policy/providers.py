"""External data providers, as the engine sees them: asked by name with keys, answering with values.

The engine opens no socket: who builds it hands in a ``Providers``; offline that is a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a provider says of one key: a value, or why there is none."""

    value: Any = None
    error: str = ""


class ProviderError(Exception):
    """A provider could not be asked, or gave no usable answer; the text says why, without secrets."""


class Providers(Protocol):
    """Where providers are asked. Answers to the same question may not differ during a review."""

    def ask(self, provider: str, keys: Sequence[str]) -> Mapping[str, Answer]:
        """The answers, by key; a key without one was not answered. Raises ProviderError."""


@dataclass(frozen=True, slots=True)
class TableProviders:
    """Providers that answer from a table: provider, then key, then value."""

    table: Mapping[str, Mapping[str, Any]]

    def ask(self, provider: str, keys: Sequence[str]) -> Mapping[str, Answer]:
        """The values that the table has."""
        rows = self.table.get(provider)
        if rows is None:
            raise ProviderError(f"key is not found in provider cache: {provider}")
        return {key: Answer(value=rows[key]) for key in keys if key in rows}
