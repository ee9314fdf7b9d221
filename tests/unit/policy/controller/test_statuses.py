"""Statuses: each pod's own objects, and what all of them say in the policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.policy.controller.running import Running, run
from tests.unit.policy.made import constraint, template

from sekisho.kube.object import Object
from sekisho.policy.controller import kinds

BROKEN = 'violation contains {"msg": x} if true'


async def by_pod(it: Running, object: Object) -> dict[str, Any]:
    """What the pod says in the status, once it says something of the newest generation."""
    found: dict[str, Any] = {}

    async def said() -> bool:
        raw = await it.get(object)
        rows = (raw or {}).get("status", {}).get("byPod") or []
        if not raw or not rows or rows[0]["observedGeneration"] != raw["metadata"]["generation"]:
            return False
        found.update(rows[0], created=raw["status"].get("created"), uid=raw["metadata"]["uid"])
        return True

    await it.eventually(said)
    return found


def test_sound_policies_are_created_and_enforced(tmp_path: Path) -> None:
    async def work(it: Running) -> None:
        await it.put(template(), constraint())
        of_template = await by_pod(it, template())
        assert (of_template["id"], of_template["created"]) == ("pod-1", True)
        assert of_template["templateUID"] == of_template["uid"]
        assert "errors" not in of_template

        async def enforced() -> bool:
            return bool((await by_pod(it, constraint())).get("enforced"))

        await it.eventually(enforced)
        rows = await it.list(kinds.POD_STATUSES[1])
        assert [row["metadata"]["name"] for row in rows] == ["pod--1-k8sthing-thing"]

    run(tmp_path, work)


def test_a_broken_template_says_where_and_why(tmp_path: Path) -> None:
    async def work(it: Running) -> None:
        await it.put(template(BROKEN))
        found = await by_pod(it, template())
        assert found["created"] is False
        (error,) = found["errors"]
        assert error["code"] == "ingest_error"
        assert "rego_unsafe_var_error: " in error["message"]
        assert error["location"].endswith(":3:28")
        await it.put(template())

        async def mended() -> bool:
            return "errors" not in await by_pod(it, template())

        await it.eventually(mended)

    run(tmp_path, work)


def test_a_constraint_says_that_it_waits_and_statuses_go_with_policies(tmp_path: Path) -> None:
    async def work(it: Running) -> None:
        await it.put(template(), constraint())
        await it.until_said("no hostPID")
        resource = await it.client.resource(kinds.DEFINITION)
        name = "k8sthing.constraints.gatekeeper.sh"
        patch = {
            "metadata": {"labels": {"library.sekisho.dev/shipped": "yes"}, "ownerReferences": None},
        }
        await it.client.patch(resource, name, patch)
        await it.delete(template())

        async def waits() -> bool:
            errors = (await by_pod(it, constraint())).get("errors") or [{}]
            return "waits for the ConstraintTemplate of the kind K8sThing" in errors[0].get("message", "")

        await it.eventually(waits)

        async def nothing_said() -> bool:
            return not await it.list(kinds.POD_STATUSES[0])

        await it.eventually(nothing_said)

    run(tmp_path, work)


def test_what_the_server_refuses_to_define_is_told(tmp_path: Path) -> None:
    async def work(it: Running) -> None:
        bad = {"type": "object", "properties": {"a": {"type": "string", "uniqueItems": True}}}
        await it.put(template(schema=bad))

        async def told() -> bool:
            errors = (await by_pod(it, template())).get("errors") or [{}]
            return "uniqueItems" in errors[0].get("message", "") and errors[0]["code"] == "create_error"

        await it.eventually(told)

    run(tmp_path, work)
