"""Engines with mutators and expansion: whose finding it is, where, how grave; and the chain that mutates first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.policy.mutation.made import mutator
from tests.unit.policy.test_expansion import deployment, pull, template

from sekisho.diag import Deadline, Level, path_text
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Operation, Outcome, Request, Verdict, decide
from sekisho.policy import AUDIT, WEBHOOK, Ask, Engine, steps
from sekisho.policy.chain import with_mutators
from sekisho.policy.external.table import TableProviders
from sekisho.policy.gator import judge_all
from sekisho.policy.implied import IMPLIED_BY

PRIVILEGED = """
package k8sprivileged

violation contains {"msg": msg, "details": {"operation": input.review.operation}} if {
	some container in input.review.object.spec.containers
	container.securityContext.privileged
	msg := sprintf("%s is privileged", [container.name])
}

violation contains {"msg": msg} if {
	some container in input.review.object.spec.template.spec.containers
	container.securityContext.privileged
	msg := sprintf("%s is privileged, in a template", [container.name])
}
"""

TEMPLATE = Object(
    {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "k8sprivileged"},
        "spec": {
            "crd": {"spec": {"names": {"kind": "K8sPrivileged"}}},
            "targets": [
                {
                    "target": "admission.k8s.gatekeeper.sh",
                    "code": [{"engine": "Rego", "source": {"version": "v1", "rego": PRIVILEGED}}],
                }
            ],
        },
    }
)


def constraint(name: str = "none", *, kinds: tuple[str, ...] = ("Pod",), **spec: Any) -> Object:
    match = {"kinds": [{"apiGroups": ["*"], "kinds": list(kinds)}], **spec.pop("match", {})}
    return Object(
        {
            "apiVersion": "constraints.gatekeeper.sh/v1beta1",
            "kind": "K8sPrivileged",
            "metadata": {"name": name},
            "spec": {"match": match, **spec},
        }
    )


def privileged(value: Any = True) -> Object:
    object = deployment()
    container = {"name": "web", "image": "a:1", "securityContext": {"privileged": value}}
    pods = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    return Object({**object.raw, "spec": {"template": pods}})


def review(object: Object, *policies: Object, ask: Ask | None = None, **more: Any) -> tuple[Finding, ...]:
    engine = Engine.build([TEMPLATE, *policies])
    assert not engine.problems
    return engine.review(Request.of(object, **more), ask or Ask())


def at(finding: Finding) -> str:
    place = finding.diagnostic.at
    assert place is not None
    return path_text(place.path)  # type: ignore[union-attr]


FIELD = "spec.template.spec.containers[0].securityContext.privileged"


def test_a_deployment_is_judged_like_its_pods() -> None:
    (finding,) = review(privileged(), constraint())
    assert finding.diagnostic.message == "[Implied by default-deployment] web is privileged"
    assert finding.message() == "[none] [Implied by default-deployment] web is privileged"
    assert finding.diagnostic.policy == "K8sPrivileged/none"
    assert finding.diagnostic.data[IMPLIED_BY] == "default-deployment"
    assert str(finding.diagnostic.at.ref) == "Deployment shop/web"  # type: ignore[union-attr]
    assert at(finding) == FIELD


def test_only_templates_that_are_written_where_that_is_asked() -> None:
    assert review(privileged(), constraint(), ask=Ask(workloads=False)) == ()
    assert len(review(privileged(), constraint(), template(), ask=Ask(workloads=False))) == 1


@pytest.mark.parametrize(
    ("source", "kinds", "messages"),
    [
        ("All", ("Pod",), ["[Implied by default-deployment] web is privileged"]),
        ("Generated", ("Pod",), ["[Implied by default-deployment] web is privileged"]),
        ("Original", ("Pod",), []),
        ("Original", ("Pod", "Deployment"), ["web is privileged, in a template"]),
        ("Generated", ("Deployment",), []),
    ],
)
def test_sources(source: str, kinds: tuple[str, ...], messages: list[str]) -> None:
    found = review(privileged(), constraint(kinds=kinds, match={"source": source}))
    assert [finding.diagnostic.message for finding in found] == messages


def test_what_is_said_of_a_field_already_is_not_implied_again() -> None:
    both = constraint(kinds=("Pod", "Deployment"))
    assert [row.diagnostic.message for row in review(privileged(), both)] == [
        "web is privileged, in a template"
    ]
    # A written template says so, as Gatekeeper does.
    found = review(privileged(), both, template())
    assert [row.diagnostic.message for row in found] == [
        "web is privileged, in a template",
        "[Implied by expand] web is privileged",
    ]


@pytest.mark.parametrize(
    ("action", "override", "word", "level"),
    [
        ("deny", "", "deny", Level.ERROR),
        ("warn", "", "warn", Level.WARNING),
        ("dryrun", "deny", "deny", Level.ERROR),
        ("deny", "warn", "warn", Level.WARNING),
        ("deny", "dryrun", "dryrun", Level.NOTE),
    ],
)
def test_the_template_may_set_the_action(action: str, override: str, word: str, level: Level) -> None:
    rule = constraint(enforcementAction=action)
    (finding,) = review(privileged(), rule, template(action=override))
    assert finding.word == word
    assert finding.report().level is level


def test_a_point_that_does_not_evaluate_the_constraint_is_not_overridden() -> None:
    scoped = [{"action": "warn", "enforcementPoints": [{"name": AUDIT}]}]
    rule = constraint(enforcementAction="scoped", scopedEnforcementActions=scoped)
    assert review(privileged(), rule, template(action="deny"), ask=Ask(point=WEBHOOK)) == ()
    (finding,) = review(privileged(), rule, template(action="deny"), ask=Ask(point=AUDIT))
    assert finding.word == "deny"


@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.UPDATE, Operation.DELETE, Operation.NONE])
def test_children_are_asked_about_for_the_same_operation(operation: Operation) -> None:
    (finding,) = review(privileged(), constraint(), operation=operation)
    assert finding.diagnostic.data["details"] == {"operation": operation.value}


def test_a_mutator_that_is_at_fault_is_named() -> None:
    rule = mutator(
        "Assign",
        "privilege",
        location="spec.containers[name: *].securityContext.privileged",
        parameters={"assign": {"value": True}},
        applyTo=[{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}],
    )
    (finding,) = review(privileged(False), constraint(), rule)
    assert [note.message for note in finding.diagnostic.notes] == ["Assign/privilege set this"]


# --- the chain --------------------------------------------------------------------------------------------

NOW = datetime(2026, 1, 1, tzinfo=UTC)

MEND = mutator(
    "Assign",
    "mend",
    location="spec.template.spec.containers[name: *].securityContext.privileged",
    parameters={"assign": {"value": False}},
    applyTo=[{"groups": ["apps"], "versions": ["v1"], "kinds": ["Deployment"]}],
)


def put(object: Object, *policies: Object, operation: Operation = Operation.CREATE, **more: Any) -> Verdict:
    engine = Engine.build([TEMPLATE, *policies], **more)
    assert not engine.problems
    request = Request.of(object, operation=operation)
    return decide(steps(engine), request, now=NOW, deadline=Deadline.after(60))


def test_the_chain_mutates_and_then_judges() -> None:
    verdict = put(privileged(), constraint(), MEND)
    assert verdict.outcome is Outcome.ALLOW
    path = "/spec/template/spec/containers/0/securityContext/privileged"
    assert list(verdict.patch) == [{"op": "replace", "path": path, "value": False}]
    assert list(verdict.evidence) == [{"mutator": "Assign/mend", "path": FIELD}]


def test_what_is_deleted_is_not_mutated() -> None:
    verdict = put(privileged(), constraint(), MEND, operation=Operation.DELETE)
    assert verdict.patch == ()
    assert verdict.outcome is Outcome.DENY


def test_what_cannot_be_mutated_is_not_judged() -> None:
    misfit = mutator(
        "Assign",
        location="spec.template.spec.containers.image",
        parameters={"assign": {"value": "a"}},
        applyTo=[{"groups": ["apps"], "versions": ["v1"], "kinds": ["Deployment"]}],
    )
    verdict = put(privileged(), constraint(), misfit)
    assert verdict.outcome is Outcome.COULD_NOT_ASK
    assert [failure.code.id for failure in verdict.failures] == ["POL041"]


def test_what_cannot_be_expanded_is_not_judged() -> None:
    verdict = put(privileged(), constraint(), template(source="spec.pods"))
    assert verdict.outcome is Outcome.COULD_NOT_ASK
    assert [failure.code.id for failure in verdict.failures] == ["POL063"]


def test_steps_without_work_are_left_out() -> None:
    assert [step.name for step in steps(Engine.build([TEMPLATE]))] == []
    assert [step.name for step in steps(Engine.build([MEND]))] == ["mutation"]
    assert [step.name for step in steps(Engine.build([TEMPLATE, constraint(), MEND]))] == [
        "mutation",
        "policy",
    ]


def test_a_failed_provider_that_is_passed_over_is_a_warning() -> None:
    external = mutator(
        "Assign",
        location="spec.template.spec.containers[name: *].image",
        parameters={"assign": {"externalData": {"provider": "p", "failurePolicy": "Ignore"}}},
        applyTo=[{"groups": ["apps"], "versions": ["v1"], "kinds": ["Deployment"]}],
    )
    verdict = put(privileged(False), external)
    assert verdict.outcome is Outcome.ALLOW
    assert [(row.diagnostic.code.id, row.word) for row in verdict.findings] == [("POL043", "warn")]
    verdict = put(privileged(False), external, providers=TableProviders.of({"p": {"a:1": "b:2"}}))
    assert [row["value"] for row in verdict.patch] == ["b:2"]


def test_the_mutators_behind_a_finding_of_the_chain_are_named() -> None:
    worsen = Object({**MEND.raw, "spec": {**MEND.raw["spec"], "parameters": {"assign": {"value": True}}}})
    engine = Engine.build([TEMPLATE, constraint(kinds=("Deployment",)), worsen])
    request = Request.of(privileged(False))
    verdict = decide(steps(engine), request, now=NOW, deadline=Deadline.after(60))
    (finding,) = verdict.findings
    named = with_mutators(finding.report(), verdict, engine)
    assert [note.message for note in named.notes] == ["Assign/mend set this"]


# --- gator ------------------------------------------------------------------------------------------------


def results(*objects: Object) -> list[tuple[str, str, str]]:
    engine = Engine.build(objects, inventory=objects)
    assert not engine.problems
    found = judge_all(engine, objects)
    return [(row.message, row.action, row.object.name) for row in found]


def test_gator_expands_by_templates_only_and_judges_what_is_written() -> None:
    assert results(TEMPLATE, constraint(), privileged()) == []
    found = [("[Implied by expand] web is privileged", "deny", "web")]
    assert results(TEMPLATE, constraint(), privileged(), template()) == found
    # Mutated before it is expanded, and after it has been judged.
    assert results(TEMPLATE, constraint(), privileged(), template(), MEND) == []
    written = constraint(kinds=("Deployment",))
    assert results(TEMPLATE, written, privileged(), MEND) == [
        ("web is privileged, in a template", "deny", "web")
    ]


def test_gator_shows_the_action_of_the_template_and_the_mutated_object() -> None:
    scoped = [{"action": "deny", "enforcementPoints": [{"name": "gator.gatekeeper.sh"}]}]
    rule = constraint(enforcementAction="scoped", scopedEnforcementActions=scoped)
    note = mutator("AssignMetadata", location="metadata.labels.seen", parameters={"assign": {"value": "yes"}})
    objects = [TEMPLATE, rule, privileged(), template(action="warn"), note, pull()]
    (row,) = judge_all(Engine.build(objects, inventory=objects), objects)
    assert (row.action, row.actions, row.enforced) == ("warn", ("deny",), True)
    assert row.object.labels == {"seen": "yes"}


def test_gator_knows_the_default_namespace() -> None:
    rule = constraint(
        match={"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}}
    )
    object = Object({**privileged().raw, "metadata": {"name": "web", "namespace": "default"}})
    assert [row[0] for row in results(TEMPLATE, rule, object, template())] == [
        "[Implied by expand] web is privileged"
    ]
