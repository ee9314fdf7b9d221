"""``external_data`` in templates, and what a review makes of the providers' answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.policy.external.made import (
    constraint,
    echo,
    engine,
    pod,
    provider,
    response,
    serving,
    template,
)
from tests.unit.policy.mutation.made import mutator

from sekisho.diag import Deadline
from sekisho.kube.review import Outcome as Verdicts
from sekisho.kube.review import Request, Verdict, decide
from sekisho.policy import Engine, steps
from sekisho.policy.external import Answers, Composed, Outcome, Providers, Questions, Session, State, Unasked
from sekisho.policy.external.https import HttpsProviders
from sekisho.policy.external.provider import load_provider
from sekisho.policy.external.table import TableProviders
from sekisho.web import Client


class Counting:
    """Providers that give another value for each question, and remember what they were asked."""

    def __init__(self, make: Callable[[int], Outcome] = lambda turn: Outcome(value=f"v{turn}")) -> None:
        self._make = make
        self.asked: list[dict[str, list[str]]] = []

    def ask(self, questions: Questions, deadline: Deadline | None = None) -> Answers:
        self.asked.append({name: [*keys] for name, keys in questions.items()})
        turn = len(self.asked)
        outcomes = {name: dict.fromkeys(keys, self._make(turn)) for name, keys in questions.items()}
        return Answers(outcomes=outcomes)


def judged(built: Engine, *images: str) -> Verdict:
    request, now = Request.of(pod(*images)), datetime.now(UTC)
    return decide(steps(built.asking()), request, now=now, deadline=Deadline.after(5))


def seen(providers: Providers, *images: str) -> Any:
    """What the template sees."""
    verdict = judged(engine(providers=providers), *images)
    found = [row.diagnostic.message for row in verdict.findings if row.diagnostic.code.id == "POL100"]
    assert len(found) == 1, verdict
    return json.loads(found[0])


def test_what_rego_sees() -> None:
    with Client() as client, serving(echo) as server:
        providers = HttpsProviders({"p": load_provider(provider(server.url))}, client)
        assert seen(providers, "a", "bad", "a") == {
            "responses": [["a", "A"], ["a", "A"]],
            "errors": [["bad", "it is bad"]],
            "status_code": 200,
            "system_error": "",
        }
        # The same from what is kept.
        assert seen(providers, "a")["status_code"] == 200
    assert len(server.asked) == 1


def test_what_rego_sees_of_a_system_error() -> None:
    with Client() as client:
        body = response({"key": "a", "value": 1}, systemError="down")
        with serving(lambda exchange: exchange.answer_json(body, status="503 Busy")) as server:
            providers = HttpsProviders({"p": load_provider(provider(server.url))}, client)
            assert seen(providers, "a", "b") == {
                "responses": [["a", 1]],
                "errors": [],
                "status_code": 503,
                "system_error": "down",
            }


def test_what_rego_sees_where_there_is_no_answer() -> None:
    providers = Counting(lambda _: Outcome(state=State.FAILED, status=500, system_error="no route"))
    assert seen(providers, "a", "b") == {
        "responses": None,
        "errors": None,
        "status_code": 500,
        "system_error": "no route",
    }


def test_no_keys_ask_nobody() -> None:
    providers = Counting()
    assert seen(providers) == {"responses": [], "errors": [], "status_code": 0, "system_error": ""}
    assert not providers.asked


@pytest.mark.parametrize(
    ("operand", "asked"),
    [
        ('{"provider": "p", "keys": {"b", "a"}}', [{"p": ["a", "b"]}]),
        ('{"Provider": "p", "KEYS": ["a"], "more": 1}', [{"p": ["a"]}]),
        ('{"provider": "p", "keys": null}', []),
        ('{"provider": "p"}', []),
        ('{"keys": ["a", null]}', [{"": ["a", ""]}]),
    ],
)
def test_requests_as_go_reads_them(operand: str, asked: Any) -> None:
    providers = Counting()
    rego = f'package x\nviolation[{{"msg": "asked"}}] {{ external_data({operand}) }}'
    verdict = judged(engine(template(rego), constraint(), providers=providers), "a")
    assert [row.diagnostic.message for row in verdict.findings] == ["asked"]
    assert providers.asked == asked


@pytest.mark.parametrize(
    "operand", ['"p"', '{"provider": 1, "keys": ["a"]}', '{"keys": [1]}', '{"keys": "a"}']
)
def test_requests_that_cannot_be_read_are_undefined(operand: str) -> None:
    rego = f'package x\nviolation[{{"msg": "undefined"}}] {{ not external_data({operand}) }}'
    verdict = judged(engine(template(rego), constraint(), providers=Counting()), "a")
    assert [row.diagnostic.message for row in verdict.findings] == ["undefined"]


def test_it_can_be_replaced_by_with() -> None:
    rego = """
package x
asked(keys) = external_data({"provider": "p", "keys": keys})
mock(_) = {"responses": [["a", "mocked"]]}
violation[{"msg": msg}] { r := asked(["a"]) with external_data as mock; msg := r.responses[0][1] }
"""
    verdict = judged(engine(template(rego), constraint()), "a")
    assert [row.diagnostic.message for row in verdict.findings] == ["mocked"]


# --- one review -------------------------------------------------------------------------------------------


def test_in_one_review_a_question_has_one_answer() -> None:
    providers = Counting()
    rows = [template(), constraint(), constraint(name="again")]
    verdict = judged(engine(*rows, providers=providers), "a")
    assert len({row.diagnostic.message for row in verdict.findings}) == 1
    assert len(verdict.findings) == 2
    assert providers.asked == [{"p": ["a"]}]


def test_another_review_asks_again() -> None:
    providers = Counting()
    built = engine(providers=providers)
    judged(built, "a")
    judged(built, "a")
    assert len(providers.asked) == 2


def test_mutators_and_policies_of_one_review_have_the_same_answers() -> None:
    providers = Counting()
    rule = mutator(
        "Assign",
        location="spec.containers[name: *].image",
        parameters={"assign": {"externalData": {"provider": "p"}}},
        applyTo=[{"groups": [""], "kinds": ["Pod"], "versions": ["v1"]}],
    )
    rego = """
package x
violation[{"msg": msg}] { r := external_data({"provider": "p", "keys": ["a"]}); msg := r.responses[0][1] }
"""
    verdict = judged(engine(template(rego), constraint(), rule, providers=providers), "a")
    assert [row["value"] for row in verdict.patch] == ["v1"]
    assert [row.diagnostic.message for row in verdict.findings] == ["v1"]
    assert len(providers.asked) == 1
    assert verdict.expires is not None


def test_a_provider_that_failed_is_not_asked_again_in_the_same_review() -> None:
    providers = Counting(lambda turn: Outcome(state=State.FAILED, system_error=f"turn {turn}"))
    session = Session(providers)
    first = session.ask({"p": ["a"]}).outcomes["p"]["a"]
    assert session.ask({"p": ["b"], "q": ["a"]}).outcomes["p"]["b"] is first
    assert providers.asked == [{"p": ["a"]}, {"q": ["a"]}]


def test_questions_of_a_review_are_limited() -> None:
    session = Session(Counting())
    outcomes = session.ask({"p": [str(number) for number in range(10_001)]}).outcomes["p"]
    assert {outcome.state for outcome in outcomes.values()} == {State.FAILED}
    assert [row.code.id for row in session.drain()] == ["POL126"]
    assert session.drain() == ()


# --- nobody to ask ----------------------------------------------------------------------------------------


def test_without_anybody_to_ask_the_verdict_is_neither_yes_nor_no() -> None:
    verdict = judged(engine(), "a")
    assert verdict.outcome is Verdicts.COULD_NOT_ASK
    (failure,) = verdict.failures
    assert (failure.code.id, failure.policy) == ("POL122", "K8sAsks/asks")
    assert failure.message == "the external data provider p could not be asked: no provider is at hand here"


def test_other_constraints_are_judged_all_the_same() -> None:
    other = template('package x\nviolation[{"msg": "no"}] { true }', "K8sNo")
    verdict = judged(engine(template(), constraint(), other, constraint("K8sNo")), "a")
    assert verdict.outcome is Verdicts.DENY
    assert [row.policy for row in verdict.findings] == ["K8sNo/asks"]
    assert [row.code.id for row in verdict.failures] == ["POL122"]


def test_a_review_without_a_session_raises() -> None:
    with pytest.raises(Unasked, match="POL122"):
        engine().review(Request.of(pod("a")))


def test_a_policy_cannot_see_that_nobody_was_asked() -> None:
    rego = 'package x\nviolation[{"msg": "no"}] { not external_data({"provider": "p", "keys": ["a"]}) }'
    assert judged(engine(template(rego), constraint()), "a").outcome is Verdicts.COULD_NOT_ASK


# --- composed ---------------------------------------------------------------------------------------------


def test_the_next_is_asked_what_the_one_before_does_not_know() -> None:
    table = TableProviders.of({"p": {"a": "from the table"}})
    other = Counting()
    answers = Composed((table, other)).ask({"p": ["a", "b"], "q": ["a"]})
    assert other.asked == [{"p": ["b"], "q": ["a"]}]
    assert {key: outcome.value for key, outcome in answers.outcomes["p"].items()} == {
        "a": "from the table",
        "b": "v1",
    }


def test_where_all_is_known_nobody_else_is_asked() -> None:
    other = Counting()
    Composed((TableProviders.of({"p": {"a": 1}}), other)).ask({"p": ["a"]})
    assert not other.asked


# --- warnings ---------------------------------------------------------------------------------------------


def test_what_is_odd_about_a_provider_is_a_warning_of_the_verdict() -> None:
    with Client() as client, serving(lambda exchange: exchange.answer_json(response())) as server:
        providers = HttpsProviders({"p": load_provider(provider(server.url))}, client)
        verdict = judged(engine(providers=providers), "a")
    codes = [(row.diagnostic.code.id, row.rung.word) for row in verdict.findings]
    assert codes == [("POL100", "deny"), ("POL125", "warn")]
