"""External data in mutations: Gatekeeper's own cases (system_external_data), in our words and values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.policy.mutation.made import assign, mutate, mutator, widget

from sekisho.diag import Deadline, DiagnosticError, Level
from sekisho.policy.external import Answers, Outcome, Questions, State
from sekisho.policy.external.table import TableProviders


@dataclass
class Fixed:
    """Providers with one outcome for every key, which remember what they were asked."""

    outcome: Outcome = field(default_factory=lambda: Outcome(value="new"))
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def ask(self, questions: Questions, deadline: Deadline | None = None) -> Answers:
        self.asked += ((name, tuple(keys)) for name, keys in questions.items())
        return Answers(outcomes={name: dict.fromkeys(keys, self.outcome) for name, keys in questions.items()})


def external(location: str, name: str = "rule", *, provider: str = "p", tests: Any = (), **more: Any) -> Any:
    parameters = {
        "assign": {"externalData": {"provider": provider, **more}},
        "pathTests": [{"subPath": path, "condition": word} for path, word in tests],
    }
    return mutator("Assign", name, location=location, parameters=parameters)


def test_the_value_at_the_location_is_the_key() -> None:
    providers = TableProviders.of({"p": {"old": "new"}})
    result = mutate(widget({"a": "old"}), external("spec.a"), providers=providers)
    assert result.object.raw["spec"] == {"a": "new"}
    assert [(change.old, change.new) for change in result.changes] == [("old", "new")]


def test_a_missing_value_is_the_empty_key() -> None:
    providers = TableProviders.of({"p": {"": "new"}})
    assert mutate(widget({}), external("spec.a"), providers=providers).object.raw["spec"] == {"a": "new"}


@pytest.mark.parametrize("spec", [{}, {"a": "old"}])
def test_the_user_is_the_key(spec: Any) -> None:
    providers = TableProviders.of({"p": {"ann": "new"}})
    rule = external("spec.a", dataSource="Username")
    result = mutate(widget(spec), rule, providers=providers, username="ann")
    assert result.object.raw["spec"] == {"a": "new"}


def test_a_label_from_the_user() -> None:
    parameters = {"assign": {"externalData": {"provider": "p", "dataSource": "Username"}}}
    rule = mutator("AssignMetadata", location="metadata.labels.by", parameters=parameters)
    result = mutate(widget(), rule, providers=TableProviders.of({"p": {"ann": "core"}}), username="ann")
    assert result.object.labels == {"by": "core"}


def test_a_provider_is_asked_once_for_all_keys() -> None:
    providers = Fixed()
    object = widget(
        {"parts": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}, {"name": "c", "image": "x"}]}
    )
    result = mutate(object, external("spec.parts[name: *].image"), providers=providers)
    assert [part["image"] for part in result.object.raw["spec"]["parts"]] == ["new"] * 3
    assert [(name, sorted(keys)) for name, keys in providers.asked] == [("p", ["x", "y"])]


def test_nobody_is_asked_where_nothing_is_set() -> None:
    providers = Fixed()
    mutate(widget({}), external("spec.a", tests=[("spec.a", "MustExist")]), providers=providers)
    assert not providers.asked


def test_the_last_provider_for_a_location_is_asked_with_the_first_key() -> None:
    providers = Fixed()
    rows = [external("spec.a", "a", provider="p"), external("spec.a", "b", provider="q")]
    result = mutate(widget({"a": "old"}), *rows, providers=providers)
    assert providers.asked == [("q", ("old",))]
    assert result.object.raw["spec"] == {"a": "new"}


def test_a_value_that_is_set_later_is_not_asked_for() -> None:
    providers = Fixed()
    result = mutate(
        widget({"a": "old"}), external("spec.a", "a"), assign("spec.a", "fixed", "b"), providers=providers
    )
    assert result.object.raw["spec"] == {"a": "fixed"}
    assert not providers.asked


FAILURES = [
    (
        Fixed(Outcome(state=State.FAILED, system_error="no route to host")),
        "failed to send external data request to provider p: no route to host",
    ),
    (
        Fixed(Outcome(value="x", system_error=" out of order ")),
        "failed to validate external data response from provider p: non-empty system error: out of order",
    ),
    (
        Fixed(Outcome(value="x", idempotent=False)),
        "failed to validate external data response from provider p: non-idempotent response",
    ),
    (
        Fixed(Outcome(error="unknown image")),
        "failed to retrieve external data item from provider p: unknown image",
    ),
    (
        Fixed(Outcome(value=7)),
        "failed to convert external data item value from provider p to string, got type int64",
    ),
    (
        Fixed(Outcome(state=State.MISSING)),
        "failed to find external data item in response for provider p",
    ),
    (
        TableProviders.of({"p": {}}),
        'failed to find external data provider p: its answers at hand have none for "old"',
    ),
    (
        TableProviders.of({}),
        "failed to find external data provider p: the answers at hand have nothing of it",
    ),
    (None, "failed to find external data provider p: no provider is at hand here"),
]


@pytest.mark.parametrize(("providers", "message"), FAILURES)
def test_failure_is_told(providers: Any, message: str) -> None:
    with pytest.raises(DiagnosticError) as found:
        mutate(widget({"a": "old"}), external("spec.a"), providers=providers)
    (problem,) = found.value.diagnostics
    assert problem.code.id == "POL043"
    assert problem.message == f"failed to resolve external data placeholders: {message}"
    assert problem.at is not None
    assert problem.at.path == ("spec", "a")  # type: ignore[union-attr]


@pytest.mark.parametrize("providers", [row[0] for row in FAILURES])
@pytest.mark.parametrize(
    ("more", "value"),
    [({"failurePolicy": "Ignore"}, "old"), ({"failurePolicy": "UseDefault", "default": "d"}, "d")],
)
def test_failure_policies(providers: Any, more: dict[str, str], value: str) -> None:
    result = mutate(widget({"a": "old"}), external("spec.a", **more), providers=providers)
    assert result.object.raw["spec"] == {"a": value}
    assert [(warning.code.id, warning.level) for warning in result.warnings] == [("POL043", Level.WARNING)]


def test_only_texts_can_be_keys() -> None:
    message = "value assigned to external data placeholder is not a string, got map"
    with pytest.raises(DiagnosticError, match=message):
        mutate(widget({"a": {}}), external("spec.a"), providers=Fixed())


def test_answers_are_bounded() -> None:
    object = widget({"parts": [{"name": str(number)} for number in range(20)]})
    rule = external("spec.parts[name: *].image")
    with pytest.raises(DiagnosticError, match="POL044"):
        mutate(object, rule, providers=Fixed(Outcome(value="x" * 1_000_000)))
