"""ValidatingAdmissionPolicies and bindings in the cluster: made, kept, and taken away again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.policy.controller.running import Running, run
from tests.unit.policy.made import constraint, template

from sekisho.kube.object import Object
from sekisho.policy.controller import Defaults, kinds

POLICY, BINDING = kinds.GENERATED
AT_ONCE = Defaults(wait=timedelta())
SCOPED = {
    "enforcementAction": "scoped",
    "scopedEnforcementActions": [{"action": "deny", "enforcementPoints": [{"name": "vap.k8s.io"}]}],
}


def cel_template(generate: bool | None, **target: Any) -> Object:
    source: dict[str, Any] = {
        "validations": [
            {"expression": "!has(variables.anyObject.spec.hostPID)", "message": "no hostPID"},
        ]
    }
    if generate is not None:
        source["generateVAP"] = generate
    code = [{"engine": "K8sNativeValidation", "source": source}]
    found = template()
    raw = {**found.raw, "spec": {**found.raw["spec"], "targets": [{**found.raw["spec"]["targets"][0]}]}}
    raw["spec"]["targets"][0] |= {"code": code, **target}
    return Object(raw)


async def names(it: Running) -> list[str]:
    rows = [*await it.list(POLICY), *await it.list(BINDING)]
    return [row["metadata"]["name"] for row in rows]


def test_what_asks_gets_a_policy_and_a_binding(tmp_path: Path) -> None:
    async def work(it: Running) -> None:
        await it.put(cel_template(True), constraint(**SCOPED))
        wanted = ["gatekeeper-k8sthing", "gatekeeper-k8sthing-thing"]

        async def made() -> bool:
            return await names(it) == wanted

        await it.eventually(made)
        (policy,), (binding,) = await it.list(POLICY), await it.list(BINDING)
        assert policy["metadata"]["ownerReferences"][0]["kind"] == "ConstraintTemplate"
        assert binding["metadata"]["ownerReferences"][0]["kind"] == "K8sThing"
        assert binding["spec"]["validationActions"] == ["Deny"]

        async def said() -> bool:
            template_, constraint_ = await it.get(template()), await it.get(constraint())
            assert template_ is not None
            assert constraint_ is not None
            of_template = (template_.get("status", {}).get("byPod") or [{}])[0]
            of_constraint = (constraint_.get("status", {}).get("byPod") or [{}])[0]
            state = (of_template.get("vapGenerationStatus") or {}).get("state")
            rows = of_constraint.get("enforcementPointsStatus") or [{}]
            return (state, rows[0].get("state")) == ("generated", "generated")

        await it.eventually(said)
        # Who takes one away gets it again; who asks no more loses both.
        await it.client.delete(await it.client.resource(BINDING), wanted[1])
        await it.eventually(made)
        await it.put(cel_template(False))

        async def gone() -> bool:
            return not await names(it)

        await it.eventually(gone)

    run(tmp_path, work, AT_ONCE)


@pytest.mark.parametrize(
    ("object", "defaults", "expected"),
    [
        (cel_template(None), AT_ONCE, []),
        (
            cel_template(None),
            Defaults(policies=True, bindings=True, wait=timedelta()),
            ["gatekeeper-k8sthing", "gatekeeper-k8sthing-thing"],
        ),
        (cel_template(True), AT_ONCE, ["gatekeeper-k8sthing"]),
        (cel_template(True, operations=["DELETE"]), AT_ONCE, []),
    ],
)
def test_who_asks(object: Object, defaults: Defaults, expected: list[str], tmp_path: Path) -> None:
    async def work(it: Running) -> None:
        await it.put(object, constraint())
        await it.until(lambda row: bool(row.engine.constraints))

        async def as_expected() -> bool:
            return await names(it) == expected

        await it.eventually(as_expected)

    run(tmp_path, work, defaults)


@pytest.mark.parametrize(
    ("object", "defaults", "state", "message"),
    [
        (template(), AT_ONCE, "error", "K8sNativeValidation engine is missing"),
        (cel_template(False), AT_ONCE, "error", "conditions are not satisfied"),
        (cel_template(True), Defaults(), "waiting", "waiting until "),
    ],
)
def test_a_constraint_says_why_there_is_no_binding(
    object: Object, defaults: Defaults, state: str, message: str, tmp_path: Path
) -> None:
    async def work(it: Running) -> None:
        await it.put(object, constraint(**SCOPED))

        async def said() -> bool:
            found = await it.get(constraint())
            rows = (found or {}).get("status", {}).get("byPod") or [{}]
            (point,) = rows[0].get("enforcementPointsStatus") or [{}]
            return point.get("state") == state and str(point.get("message")).startswith(message)

        await it.eventually(said)
        assert not await it.list(BINDING)

    run(tmp_path, work, defaults)
