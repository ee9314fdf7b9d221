"""The webhook's answers, from HTTP request to HTTP answer."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from tests.unit.admission.reviews import TEMPLATE, body, constraint, pod, review

from sekisho.admission import Edition, Exempt, Manner, Observed, OnFailure, Options, Repair, Service, Settings
from sekisho.admission.decode import VERSIONS
from sekisho.admission.service import budget
from sekisho.cli.serving.engines import EngineSnapshot, How, build
from sekisho.web.server import Incoming

OWNED = pod(owner="shop")
BARE = pod()


def snapshot(*policies: dict[str, Any], inventory: tuple[dict[str, Any], ...] = ()) -> EngineSnapshot:
    return build(Edition(policies=(TEMPLATE, *policies), inventory=inventory), How(cache=False))


DENYING = snapshot(constraint())
PLAIN = Settings()


def ask(
    content: bytes | None,
    *,
    path: str = "/v1/admit",
    by: EngineSnapshot | None = DENYING,
    settings: Settings = PLAIN,
    options: Options | None = None,
    query: tuple[tuple[str, str], ...] = (),
    method: str = "POST",
) -> tuple[int, dict[str, Any]]:
    async def run() -> tuple[int, dict[str, Any]]:
        service = Service(lambda: by, settings, options)
        incoming = Incoming(method=method, path=path, query=query, body=content)
        try:
            answer = await service.handle(incoming)
        finally:
            service.close()
        return answer.code, orjson.loads(answer.body)

    return asyncio.run(run())


def response(content: bytes, **more: Any) -> dict[str, Any]:
    code, value = ask(content, **more)
    assert code == 200
    return dict(value["response"])


def test_what_is_in_order_is_allowed() -> None:
    assert response(body(OWNED)) == {"uid": "7f3", "allowed": True, "status": {"code": 200}}


def test_a_violation_is_refused_in_gatekeepers_words() -> None:
    found = response(body(BARE))
    assert found["allowed"] is False
    assert found["status"]["code"] == 403
    assert found["status"]["reason"] == "Forbidden"
    assert found["status"]["message"] == "[owner] it needs an owner"


def test_a_refusal_names_the_field() -> None:
    causes = response(body(BARE))["status"]["details"]["causes"]
    assert causes == [
        {"reason": "FieldValueInvalid", "message": "[owner] it needs an owner", "field": "metadata.labels"}
    ]


def test_a_message_can_name_the_field() -> None:
    found = response(body(BARE), options=Options(manner=Manner(fields=True)))
    assert found["status"]["message"] == "[owner] it needs an owner (at metadata.labels)"


def test_a_warning_has_code_299() -> None:
    found = response(body(BARE), by=snapshot(constraint(action="warn")))
    assert found == {
        "uid": "7f3",
        "allowed": True,
        "status": {"code": 299},
        "warnings": ["[owner] it needs an owner"],
    }


def test_a_dry_run_says_nothing() -> None:
    assert response(body(BARE), by=snapshot(constraint(action="dryrun")))["status"] == {"code": 200}


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_review_is_answered_in_its_own_version(version: str) -> None:
    _, value = ask(body(OWNED, version=version))
    assert value["apiVersion"] == f"admission.k8s.io/{version}"
    assert value["kind"] == "AdmissionReview"


MALFORMED: dict[str, tuple[Any, str]] = {
    "no JSON": (b"{", "ADM001: the body is no JSON"),
    "a list": (b"[]", "ADM001: the body is no AdmissionReview"),
    "a number": (b"1", "ADM001: the body is no AdmissionReview"),
    "another kind": ({"kind": "Pod"}, "ADM001: the body is no AdmissionReview"),
    "another version": (
        {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v2"},
        f"ADM001: the AdmissionReview is of none of the versions {', '.join(VERSIONS)}",
    ),
    "a version that is a list": (
        {"kind": "AdmissionReview", "apiVersion": []},
        f"ADM001: the AdmissionReview is of none of the versions {', '.join(VERSIONS)}",
    ),
    "no request": (
        {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"},
        "ADM001: the AdmissionReview has no request",
    ),
    "no uid": (review(OWNED, uid=None), "ADM001: request.uid is no string of a uid's length"),
    "an empty uid": (review(OWNED, uid=""), "ADM001: request.uid is no string of a uid's length"),
    "a uid that is a number": (review(OWNED, uid=7), "ADM001: request.uid is no string of a uid's length"),
    "a long uid": (review(OWNED, uid="x" * 257), "ADM001: request.uid is no string of a uid's length"),
    "dryRun is a word": (
        review(OWNED, dryRun="yes"),
        "ADM001: request.dryRun is neither true nor false",
    ),
    "no operation": (review(OWNED, operation=""), "ADM001: request.operation is missing"),
    "no object": (
        review(OWNED, object=None),
        "ADM001: the AdmissionReview is malformed: request.object and request.oldObject are both missing",
    ),
    "a CONNECT without one": (
        review(OWNED, object=None, operation="CONNECT"),
        "ADM001: request.object and request.oldObject are both missing",
    ),
    "a DELETE of nothing": (
        review(OWNED, operation="DELETE"),
        "ADM001: oldObject cannot be nil for DELETE operations",
    ),
}


@pytest.mark.parametrize(("content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_review_is_told(content: Any, message: str) -> None:
    code, value = ask(content if isinstance(content, bytes) else orjson.dumps(content))
    assert (code, value["kind"], value["message"]) == (400, "Status", message)


def test_what_is_too_large_or_too_deep_is_told() -> None:
    deep = orjson.loads("[" * 240 + "]" * 240)
    for content in (None, orjson.dumps(review({**OWNED, "spec": deep}))):
        code, value = ask(content)
        assert code == 413
        assert value["message"].startswith("ADM003: ")


@pytest.mark.parametrize(("path", "method", "code"), [("/v2/admit", "POST", 404), ("/v1/admit", "GET", 405)])
def test_what_is_not_served_is_told(path: str, method: str, code: int) -> None:
    found, value = ask(body(OWNED), path=path, method=method)
    assert found == code
    assert value["message"].startswith("ADM002: ")


def test_before_there_are_policies_the_failure_policy_decides() -> None:
    code, value = ask(body(OWNED), by=None)
    assert (code, value["kind"]) == (503, "Status")
    assert "no policies are loaded yet" in value["message"]


def test_it_can_be_told_to_fail() -> None:
    options = Options(manner=Manner(on_failure=OnFailure.FAIL))
    found = response(body(OWNED), by=None, options=options)
    assert (found["allowed"], found["status"]["code"]) == (False, 500)


def test_it_can_be_told_to_ignore() -> None:
    options = Options(manner=Manner(on_failure=OnFailure.IGNORE))
    found = response(body(OWNED), by=None, options=options)
    assert (found["allowed"], found["status"]["code"]) == (True, 299)
    assert "no policies are loaded yet" in found["warnings"][0]
    assert found["auditAnnotations"].keys() == {"failed-open"}


ENDLESS = {
    **TEMPLATE,
    "spec": {
        **TEMPLATE["spec"],
        "targets": [
            {
                "target": "admission.k8s.gatekeeper.sh",
                "rego": """package needsowner
violation[{"msg": "x"}] {
  n := numbers.range(1, 100000)
  count([1 | a := n[_]; b := n[_]; a + b == -1]) > 0
}
""",
            }
        ],
    },
}


def test_an_endless_policy_leaves_it_to_the_failure_policy_in_time() -> None:
    import time

    endless = build(Edition(policies=(ENDLESS, constraint())), How(cache=False))
    started = time.monotonic()
    code, value = ask(body(OWNED), by=endless, query=(("timeout", "1s"),))
    assert time.monotonic() - started < 1
    assert (code, value["reason"]) == (503, "ServiceUnavailable")
    assert "ran out" in value["message"]


def test_others_are_answered_while_a_policy_does_not_end() -> None:
    endless = build(
        Edition(policies=(ENDLESS, constraint(kinds=[{"apiGroups": [""], "kinds": ["ConfigMap"]}]))),
        How(cache=False),
    )
    slow = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop"}}

    async def run() -> list[int]:
        service = Service(lambda: endless, Settings())

        def send(value: dict[str, Any], seconds: int) -> Any:
            query = (("timeout", f"{seconds}s"),)
            incoming = Incoming(method="POST", path="/v1/admit", query=query, body=body(value))
            return service.handle(incoming)

        answers = await asyncio.gather(send(slow, 1), *(send(OWNED, 30) for _ in range(20)))
        service.close()
        return [row.code for row in answers]

    assert asyncio.run(run()) == [503, *[200] * 20]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 9.5),
        ("10s", 9.5),
        ("1s", 0.9),
        ("500ms", 0.45),
        ("1m", 29.5),
        ("1.5s", 1.35),
        ("1m0s", 29.5),
        ("never", 9.5),
        ("-1s", 9.5),
        ("0s", 9.5),
        ("9" * 40 + "s", 9.5),
    ],
)
def test_the_time_to_answer_in_is_the_api_servers(text: str, seconds: float) -> None:
    assert budget((("timeout", text),)) == pytest.approx(seconds)


NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "labels": {}}}
LABELLED = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "kube-system", "labels": {"admission.gatekeeper.sh/ignore": "yes"}},
}
EXEMPT = {
    "name": Exempt(names=frozenset({"kube-system"})),
    "prefix": Exempt(prefixes=("kube-",)),
    "suffix": Exempt(suffixes=("-system",)),
}


def test_the_ignore_label_is_for_exempt_namespaces() -> None:
    found = response(body(LABELLED), path="/v1/admitlabel")
    assert found["allowed"] is False
    assert found["status"]["code"] == 403
    assert (
        found["status"]["message"]
        == "Only exempt namespace can have the admission.gatekeeper.sh/ignore label"
    )


@pytest.mark.parametrize("exempt", EXEMPT.values(), ids=EXEMPT)
def test_exempt_namespaces_may_have_the_label(exempt: Exempt) -> None:
    found = response(body(LABELLED), path="/v1/admitlabel", settings=Settings(exempt=exempt))
    assert found["allowed"] is True
    assert found["status"]["message"] == (
        "Namespace kube-system is allowed to set admission.gatekeeper.sh/ignore"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (body(NAMESPACE), "Namespace is not setting the admission.gatekeeper.sh/ignore label"),
        (body(OWNED), "Not a namespace"),
        (
            body(LABELLED, operation="DELETE", oldObject=LABELLED, object=None),
            "Delete is always allowed",
        ),
    ],
)
def test_others_need_no_exemption(content: bytes, message: str) -> None:
    assert response(content, path="/v1/admitlabel")["status"] == {"code": 200, "message": message}


ASSIGN: dict[str, Any] = {
    "apiVersion": "mutations.gatekeeper.sh/v1",
    "kind": "AssignMetadata",
    "metadata": {"name": "owner"},
    "spec": {
        "location": "metadata.labels.owner",
        "parameters": {"assign": {"value": "shop"}},
    },
}


def test_a_mutation_is_a_json_patch() -> None:
    import base64

    found = response(body(BARE), path="/v1/mutate", by=snapshot(ASSIGN))
    assert (found["allowed"], found["patchType"]) == (True, "JSONPatch")
    patch = orjson.loads(base64.b64decode(found["patch"]))
    assert patch == [{"op": "add", "path": "/metadata/labels", "value": {"owner": "shop"}}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (body(OWNED), "Resource was not mutated"),
        (body(OWNED, operation="DELETE", oldObject=OWNED), "Mutating only on create or update"),
        (body(constraint()), "Not mutating gatekeeper resources"),
    ],
)
def test_what_is_not_mutated(content: bytes, message: str) -> None:
    found = response(content, path="/v1/mutate", by=snapshot(ASSIGN))
    assert found["status"] == {"code": 200, "message": message}
    assert "patch" not in found


def test_a_policy_that_cannot_be_used_is_refused_as_invalid() -> None:
    broken = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "targets": [{"target": "x", "rego": "package"}]}}
    found = response(body(broken))
    assert (found["allowed"], found["status"]["code"]) == (False, 422)
    assert found["status"]["reason"] == "Invalid"


def test_a_policy_with_a_long_name_is_refused() -> None:
    found = response(body(constraint(name="x" * 64)))
    assert found["status"]["message"] == (
        "resource cannot have metadata.name larger than 63 char; length: 64"
    )


REPAIR = Settings(
    repair=Repair(
        namespace="sekisho-system",
        account="system:serviceaccount:sekisho-system:sekisho",
        users=frozenset({"root"}),
        groups=frozenset({"system:masters"}),
    )
)


@pytest.mark.parametrize(
    "content",
    [
        body(BARE, userInfo={"username": "system:serviceaccount:sekisho-system:sekisho"}),
        body(pod(namespace="sekisho-system")),
        body({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sekisho-system"}}),
        body(constraint(), userInfo={"username": "root"}),
        body(constraint(), userInfo={"username": "x", "groups": ["system:masters"]}),
    ],
)
def test_policies_that_deny_everything_lock_nobody_out(content: bytes) -> None:
    assert response(content, settings=REPAIR)["allowed"] is True


@pytest.mark.parametrize(
    "content",
    [
        body(BARE),
        body(BARE, userInfo={"username": "root"}),
        body(pod(namespace="sekisho-system-2")),
        body(constraint(name="other")),
    ],
)
def test_everything_else_is_judged(content: bytes) -> None:
    assert response(content, settings=REPAIR)["allowed"] is False


def test_observers_are_told_and_cannot_do_harm() -> None:
    seen: list[Observed] = []

    def broken(_: Observed) -> None:
        raise OSError("the disk is full")

    response(body(BARE), options=Options(observers=(broken, seen.append)))
    (observed,) = seen
    assert observed.hook.name == "validation"
    assert observed.answer.verdict.findings[0].policy == "NeedsOwner/owner"
    assert observed.snapshot == DENYING.digest


def test_how_long_policies_take_is_told_of_a_sample() -> None:
    seen: list[str] = []
    options = Options(timed=lambda policy, _: seen.append(policy), sample=1)
    response(body(BARE), options=options)
    assert seen == ["NeedsOwner"]
