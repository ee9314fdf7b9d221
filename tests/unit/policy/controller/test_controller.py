"""The controller over the embedded API: what is written there judges, and what follows is written back."""

from __future__ import annotations

from pathlib import Path

from tests.unit.policy.controller.running import Running, run, said
from tests.unit.policy.made import constraint, pod, template

from sekisho.kube.object import Object
from sekisho.policy.controller import TemplateDefinitions, kinds

SERVICES = 'violation contains {"msg": name} if some name, _ in data.inventory.namespace.shop.v1.Service'


def test_templates_and_constraints_judge_and_go(tmp_path: Path) -> None:
    async def work(it: Running) -> None:
        assert said(await it.until(lambda _: True)) == []
        await it.put(template(), constraint())
        await it.until_said("no hostPID")
        await it.delete(constraint())
        await it.until_said()

    run(tmp_path, work)


def test_the_definition_of_constraints_follows_the_template(tmp_path: Path) -> None:
    async def work(it: Running) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "string"}}}
        await it.put(template(), constraint())
        (row,) = [
            row for row in await it.list(kinds.DEFINITION) if row["spec"]["names"]["kind"] == "K8sThing"
        ]
        await it.put(template(schema=schema))
        resource = await it.client.resource(kinds.DEFINITION)

        async def has_parameters() -> bool:
            found = await it.client.get(resource, row["metadata"]["name"])
            return found is not None and "'a'" in str(found)

        await it.eventually(has_parameters)
        # Who removes it gets it again, but its constraints are gone.
        await it.client.delete(resource, row["metadata"]["name"])
        await it.until_said()
        await it.put(constraint())
        await it.until_said("no hostPID")
        # With the template go its definition and its constraints.
        await it.delete(template())

        async def gone() -> bool:
            return await it.client.get(resource, row["metadata"]["name"]) is None

        await it.eventually(gone)
        await it.until_said()

    run(tmp_path, work)


def test_a_definition_that_is_refused_is_the_templates_fault(tmp_path: Path) -> None:
    async def work(it: Running) -> None:
        (follower,) = [row for row in it.controller.followers if isinstance(row, TemplateDefinitions)]
        bad = {"type": "object", "properties": {"a": {"type": "string", "uniqueItems": True}}}
        await it.put(template(schema=bad))

        async def told() -> bool:
            return bool(follower.faults)

        await it.eventually(told)
        ((ref, (fault,)),) = follower.faults.items()
        assert (ref.name, fault.code.id) == ("k8sthing", "POL220")
        assert "uniqueItems" in fault.message

    run(tmp_path, work)


def test_inventory_is_watched_as_long_as_somebody_reads_it(tmp_path: Path) -> None:
    service = Object(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"ports": [{"port": 80}]},
        }
    )

    async def work(it: Running) -> None:
        await it.put(Object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}), service)
        await it.put(template(SERVICES))
        await it.until(lambda row: "K8sThing" in row.engine.templates)
        assert service.gvk not in it.controller.watches.kinds, "no constraint asks"
        await it.put(constraint())
        # No snapshot has the constraint without what it reads.
        first = await it.until(lambda row: bool(row.engine.constraints))
        assert said(first) == ["web"]
        await it.delete(service)
        await it.until_said()
        await it.delete(constraint())
        await it.until(lambda row: not row.engine.constraints)
        assert service.gvk not in it.controller.watches.kinds

    run(tmp_path, work)


def test_a_restart_finds_everything_again(tmp_path: Path) -> None:
    async def before(it: Running) -> None:
        await it.put(template(), constraint(), pod(namespace="default"))
        await it.until_said("no hostPID")

    async def after(it: Running) -> None:
        assert said(await it.until(lambda _: True)) == ["no hostPID"]

    run(tmp_path, before)
    run(tmp_path, after)


def test_a_controller_that_runs_again_knows_what_went_meanwhile(tmp_path: Path) -> None:
    async def work(it: Running) -> None:
        await it.put(template(), constraint())
        before = await it.until_said("no hostPID")
        await it.again(lambda: it.delete(constraint()))
        after = await it.until(lambda row: row.number > before.number)
        assert said(after) == []

    run(tmp_path, work)
