"""Answers from files, for work without a network: what stands for providers.

A document is one of three:

- a mapping from providers to their answers: provider, then key, then value;
- a recorded ProviderResponse, with the provider's name as ``metadata.name``: for errors, too;
- a Provider, which is not an answer but says where one is to be had (``load.declared``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sekisho.diag import Deadline, Diagnostic, DiagnosticError, ObjectPath, ObjectRef, Path
from sekisho.kube.fielderror import shown
from sekisho.kube.object import Object
from sekisho.manifest import Document
from sekisho.policy import codes
from sekisho.policy.external import wire
from sekisho.policy.external.answers import Answers, Outcome, Questions, State, unasked
from sekisho.policy.external.kinds import GROUP, is_provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is known of one provider; ``otherwise`` is the outcome for further keys, where there is one."""

    outcomes: Mapping[str, Outcome]
    otherwise: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProviders:
    """Providers that answer from a table. ``help`` says what to do about a key that it does not have."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    help: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Mapping[str, Any]]) -> TableProviders:
        """The table with these values, by provider and key."""
        return cls(
            rows={
                name: Row(outcomes={key: Outcome(value=value) for key, value in row.items()})
                for name, row in values.items()
            }
        )

    def ask(self, questions: Questions, deadline: Deadline | None = None) -> Answers:  # noqa: ARG002
        """What the table has; the rest is left unasked."""
        outcomes = {
            name: {key: self._outcome(name, key) for key in dict.fromkeys(keys)}
            for name, keys in questions.items()
        }
        return Answers(outcomes=outcomes)

    def _outcome(self, name: str, key: str) -> Outcome:
        row = self.rows.get(name)
        if row is None:
            return unasked(name, "the answers at hand have nothing of it", self.help)
        found = row.outcomes.get(key) or row.otherwise
        return found or unasked(name, f"its answers at hand have none for {shown(key)}", self.help)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What files with external data hold: answers, and Provider objects."""

    rows: Mapping[str, Row]
    objects: tuple[Object, ...] = ()


def read_files(documents: Iterable[Document]) -> Files:
    """The contents of such documents; raises DiagnosticError (POL046) for one of another shape."""
    rows: dict[str, Row] = {}
    objects: list[Object] = []
    for document in documents:
        value = document.value
        if not isinstance(value, dict):
            raise _problem(document, (), "it must be a mapping from providers to their answers")
        object = Object(value, document)
        if is_provider(object):
            objects.append(object)
        elif object.gvk.group == GROUP:
            rows |= _recorded(object, document)
        else:
            for name, answers in value.items():
                rows[name] = _merged(rows.get(name), _row(document, name, answers))
    return Files(rows=rows, objects=tuple(objects))


def _row(document: Document, name: str, answers: Any) -> Row:
    if not isinstance(answers, dict):
        message = "the answers of a provider are a mapping from keys to values"
        raise _problem(document, (name,), message)
    return Row(outcomes={key: Outcome(value=value) for key, value in answers.items()})


def _recorded(object: Object, document: Document) -> dict[str, Row]:
    try:
        outcomes, shared = wire.read_items(object.raw)
    except wire.WireError as error:
        raise _problem(document, (), f"this recorded answer cannot be used: {error}") from None
    if not object.name:
        message = "a recorded answer needs the name of its provider in metadata.name"
        raise _problem(document, ("metadata",), message)
    failed = shared.system_error.strip()
    otherwise = Outcome(state=State.MISSING, system_error=shared.system_error) if failed else None
    return {object.name: Row(outcomes=outcomes, otherwise=otherwise)}


def _merged(first: Row | None, second: Row) -> Row:
    if first is None:
        return second
    return Row(outcomes={**first.outcomes, **second.outcomes}, otherwise=first.otherwise)


def _problem(origin: Document, path: Path, message: str) -> DiagnosticError:
    at = ObjectPath(ref=ObjectRef(group_version="", kind="external data"), path=path, origin=origin)
    return DiagnosticError(Diagnostic(code=codes.BAD_PROVIDER_FILE, message=message, at=at))
