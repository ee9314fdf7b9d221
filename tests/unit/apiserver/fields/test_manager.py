"""Managed fields and server-side apply, asked of the API as clients ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.calling import Client, run

MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data}


def deployment(**spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": {"app": "w"}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "w"},
        "spec": {"selector": {"matchLabels": {"app": "w"}}, "template": template, **spec},
    }


def owners(value: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """What each manager owns."""
    rows = value["metadata"].get("managedFields", [])
    return {(row["manager"], row["operation"]): row["fieldsV1"] for row in rows}


async def apply(
    call: Client, value: Any, manager: str = "one", *, more: str = "", at: str = f"{MAPS}/m"
) -> tuple[int, Any]:
    return await call("PATCH", f"{at}?fieldManager={manager}{more}", value, APPLY)


def test_who_creates_owns_what_it_sent_and_what_was_filled_in(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        return (await call("POST", f"{DEPLOYMENTS}?fieldManager=one", deployment()))[1]

    value = run(tmp_path, work)
    [row] = value["metadata"]["managedFields"]
    assert (row["manager"], row["operation"], row["apiVersion"]) == ("one", "Update", "apps/v1")
    assert row["fieldsType"] == "FieldsV1"
    spec = row["fieldsV1"]["f:spec"]
    assert spec["f:replicas"] == {}, "a default"
    assert "." not in spec["f:template"]["f:spec"]["f:containers"], "a list that every Deployment has"
    container = spec["f:template"]["f:spec"]["f:containers"]['k:{"name":"c"}']
    assert container["f:ports"]['k:{"containerPort":80,"protocol":"TCP"}']["f:protocol"] == {}
    assert container["f:resources"] == {}, "a struct that is always written"


def test_the_manager_is_the_first_part_of_the_user_agent_where_none_is_named(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        return (await call("POST", MAPS, config_map(a="1")))[1]

    assert list(owners(run(tmp_path, work))) == [("unknown", "Update")]


def test_an_update_takes_what_it_changes(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", f"{MAPS}?fieldManager=one", config_map(a="1", b="1"))
        patch = {"data": {"b": "2", "c": "3"}}
        return (await call("PATCH", f"{MAPS}/m?fieldManager=two", patch, MERGE))[1]

    found = owners(run(tmp_path, work))
    assert found["one", "Update"] == {"f:data": {".": {}, "f:a": {}}}
    assert found["two", "Update"] == {"f:data": {"f:b": {}, "f:c": {}}}


def test_an_update_that_changes_nothing_keeps_version_and_owners(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        first = (await call("POST", f"{MAPS}?fieldManager=one", config_map(a="1")))[1]
        second = (await call("PATCH", f"{MAPS}/m?fieldManager=two", {"data": {"a": "1"}}, MERGE))[1]
        return first, second

    first, second = run(tmp_path, work)
    assert first == second


def test_applying_creates_and_owns_only_what_is_sent(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        return await apply(call, deployment(), at=f"{DEPLOYMENTS}/w")

    code, value = run(tmp_path, work)
    assert code == 201
    assert value["spec"]["replicas"] == 1
    found = owners(value)["one", "Apply"]
    assert "f:replicas" not in found["f:spec"]
    assert found["f:spec"]["f:template"]["f:metadata"] == {"f:labels": {"f:app": {}}}


def test_what_is_no_longer_applied_goes(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await apply(call, config_map(a="1", b="1"))
        return (await apply(call, config_map(a="1")))[1]

    value = run(tmp_path, work)
    assert value["data"] == {"a": "1"}
    assert owners(value)["one", "Apply"] == {"f:data": {"f:a": {}}}


def test_what_another_applies_as_well_stays(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await apply(call, config_map(a="1", b="1"))
        await apply(call, config_map(b="1"), "two")
        return (await apply(call, config_map(a="1")))[1]

    assert run(tmp_path, work)["data"] == {"a": "1", "b": "1"}


def test_a_conflict_says_whose_field_it_is(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", f"{MAPS}?fieldManager=one", config_map(a="1"))
        return await apply(call, config_map(a="2"), "two")

    code, value = run(tmp_path, work)
    assert (code, value["reason"]) == (409, "Conflict")
    assert value["message"] == 'Apply failed with 1 conflict: conflict with "one" using v1: .data.a'
    assert value["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one" using v1', "field": ".data.a"}
    ]


def test_several_conflicts_are_listed_by_manager(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await apply(call, config_map(a="1", b="1"))
        await apply(call, config_map(c="1"), "two")
        return await apply(call, config_map(a="2", b="2", c="2"), "three")

    message = run(tmp_path, work)[1]["message"]
    assert message.splitlines() == [
        'Apply failed with 3 conflicts: conflicts with "one":',
        "- .data.a",
        "- .data.b",
        'conflicts with "two":',
        "- .data.c",
    ]


def test_force_takes_the_field(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await apply(call, config_map(a="1", b="1"))
        return (await apply(call, config_map(a="2"), "two", more="&force=true"))[1]

    value = run(tmp_path, work)
    assert value["data"] == {"a": "2", "b": "1"}
    found = owners(value)
    assert found["one", "Apply"] == {"f:data": {"f:b": {}}}
    assert found["two", "Apply"] == {"f:data": {"f:a": {}}}


def test_a_dry_run_stores_nothing(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        code, value = await apply(call, config_map(a="1"), more="&dryRun=All")
        return code, value["data"], (await call("GET", f"{MAPS}/m"))[0]

    assert run(tmp_path, work) == (201, {"a": "1"}, 404)


REFUSED = [
    pytest.param(
        "", config_map(), 422, "fieldManager: Required value: is required for apply", id="no manager"
    ),
    pytest.param(
        "?fieldManager=one",
        {**config_map(), "metadata": {"name": "m", "managedFields": []}},
        400,
        "metadata.managedFields must be nil",
        id="managed fields",
    ),
    pytest.param(
        "?fieldManager=one",
        {**config_map(), "kind": "Secret"},
        400,
        "invalid object type: /v1, Kind=Secret",
        id="kind",
    ),
    pytest.param(
        "?fieldManager=one",
        {**config_map(), "spec": 1},
        500,
        "failed to create typed patch object (/m; /v1, Kind=ConfigMap): .spec: field not declared in schema",
        id="unknown field",
    ),
    pytest.param("?fieldManager=one", ["x"], 400, "error decoding YAML", id="no object"),
    pytest.param(
        "?fieldManager=one",
        {"apiVersion": "v1", "kind": "ConfigMap"},
        400,
        "name must be provided",
        id="no name",
    ),
]


@pytest.mark.parametrize(("query", "value", "code", "message"), REFUSED)
def test_what_cannot_be_applied(tmp_path: Path, query: str, value: Any, code: int, message: str) -> None:
    async def work(call: Client) -> Any:
        return await call("PATCH", f"{MAPS}/m{query}", value, APPLY)

    found, told = run(tmp_path, work)
    assert (found, message in told["message"]) == (code, True), told


def test_an_empty_list_of_managed_fields_takes_all_owners_away(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", f"{MAPS}?fieldManager=one", config_map(a="1"))
        value = (await call("PATCH", f"{MAPS}/m", {"metadata": {"managedFields": []}}, MERGE))[1]
        applied = (await apply(call, config_map(a="1"), "two"))[1]
        return value, applied

    value, applied = run(tmp_path, work)
    assert owners(value) == {}
    found = owners(applied)
    assert found["before-first-apply", "Update"] == {"f:data": {".": {}, "f:a": {}}}
    assert found["two", "Apply"] == {"f:data": {"f:a": {}}}


def test_managed_fields_that_a_client_writes_are_honoured(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        value = (await call("POST", f"{MAPS}?fieldManager=one", config_map(a="1")))[1]
        rows = [{**value["metadata"]["managedFields"][0], "manager": "two", "operation": "Apply"}]
        patch = [{"op": "replace", "path": "/metadata/managedFields", "value": rows}]
        return (await call("PATCH", f"{MAPS}/m", patch, "application/json-patch+json"))[1]

    assert list(owners(run(tmp_path, work))) == [("two", "Apply")]


def test_the_oldest_updates_become_one_entry(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", f"{MAPS}?fieldManager=u00", config_map(k00="1"))
        for number in range(1, 13):
            patch = {"data": {f"k{number:02}": "1"}}
            value = (await call("PATCH", f"{MAPS}/m?fieldManager=u{number:02}", patch, MERGE))[1]
        return value

    found = owners(run(tmp_path, work))
    assert len(found) == 10
    assert {"f:k00", "f:k01", "f:k02", "f:k03"} <= found["ancient-changes", "Update"]["f:data"].keys()


def test_the_status_is_owned_through_its_own_path(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", f"{DEPLOYMENTS}?fieldManager=one", deployment())
        status = {**deployment(replicas=7), "status": {"replicas": 1}}
        del status["spec"]["selector"], status["spec"]["template"]
        return (await apply(call, status, "two", at=f"{DEPLOYMENTS}/w/status"))[1]

    value = run(tmp_path, work)
    assert (value["spec"]["replicas"], value["status"]) == (1, {"replicas": 1})
    row = next(row for row in value["metadata"]["managedFields"] if row["manager"] == "two")
    assert (row["subresource"], row["fieldsV1"]) == ("status", {"f:status": {"f:replicas": {}}})


def test_kubectl_takes_over_what_it_applied_without_the_server(tmp_path: Path) -> None:
    """``kubectl apply --server-side`` after ``kubectl apply``: the annotation says what may be taken over."""
    import json

    noted = json.dumps(config_map(a="1"))
    key = "kubectl.kubernetes.io/last-applied-configuration"

    async def work(call: Client) -> Any:
        first = config_map(a="1")
        first["metadata"] = {"name": "m", "annotations": {key: noted}}
        await call("POST", f"{MAPS}?fieldManager=kubectl-client-side-apply", first)
        other = await apply(call, config_map(a="2"), "another")
        return other[0], (await apply(call, config_map(a="2"), "kubectl"))

    other, (code, value) = run(tmp_path, work)
    assert (other, code, value["data"]) == (409, 200, {"a": "2"})
    assert json.loads(value["metadata"]["annotations"][key])["data"] == {"a": "2"}


def test_a_write_to_the_scale_takes_the_replicas(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        await call("POST", f"{DEPLOYMENTS}?fieldManager=one", deployment(replicas=1))
        await call("PATCH", f"{DEPLOYMENTS}/w/scale?fieldManager=two", {"spec": {"replicas": 3}}, MERGE)
        return (await call("GET", f"{DEPLOYMENTS}/w"))[1]

    value = run(tmp_path, work)
    assert value["spec"]["replicas"] == 3
    row = next(row for row in value["metadata"]["managedFields"] if row["manager"] == "two")
    assert (row["subresource"], row["apiVersion"], row["fieldsV1"]) == (
        "scale",
        "apps/v1",
        {"f:spec": {"f:replicas": {}}},
    )
    assert "f:replicas" not in owners(value)["one", "Update"]["f:spec"]


def test_applying_to_the_scale_meets_the_conflict(tmp_path: Path) -> None:
    scale = {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"name": "w"},
        "spec": {"replicas": 3},
    }

    async def work(call: Client) -> Any:
        await apply(call, deployment(replicas=1), at=f"{DEPLOYMENTS}/w")
        at = f"{DEPLOYMENTS}/w/scale"
        return await apply(call, scale, "two", at=at), await apply(
            call, scale, "two", more="&force=true", at=at
        )

    (refused, told), (forced, value) = run(tmp_path, work)
    assert (refused, told["details"]["causes"][0]["field"]) == (409, ".spec.replicas")
    assert (forced, value["spec"]["replicas"]) == (200, 3)


def test_a_quantity_that_is_none_is_refused_by_validation(tmp_path: Path) -> None:
    async def work(call: Client) -> Any:
        value = deployment()
        value["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "nope"}}
        return (await call("POST", DEPLOYMENTS, value))[0]

    assert run(tmp_path, work) in (400, 422)
