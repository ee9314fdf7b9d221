"""The live audit of the embedded server: what it finds, where it writes it, and what it does not do again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.audit.worlds import RULES, config_map, constraint, namespace, template, waiver

from sekisho import manifest
from sekisho.apiserver.cluster import Cluster, Settings
from sekisho.audit import codes
from sekisho.audit.live import Pass
from sekisho.cli.auditing.compose import Auditing, Composed, compose
from sekisho.cluster import kubeconfig
from sekisho.cluster.client import Client, Resource
from sekisho.diag import DiagnosticError, Source
from sekisho.kube.gvk import GVK, GVR
from sekisho.kube.object import Object

SRC = Path(__file__).parents[2] / "src" / "sekisho"
CRDS = (
    SRC / "policy" / "crds" / "constrainttemplate.yaml",
    SRC / "audit" / "crds" / "policyreport.yaml",
    SRC / "kube" / "crds" / "waiver.yaml",
)
CM = GVK("", "v1", "ConfigMap")
REPORT = GVK("wgpolicyk8s.io", "v1alpha2", "PolicyReport")


def constraint_crd(kind: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1beta1", "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}.constraints.gatekeeper.sh"},
        "spec": {
            "group": "constraints.gatekeeper.sh",
            "names": {"kind": kind, "plural": kind.lower(), "singular": kind.lower()},
            "scope": "Cluster",
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }


class World:
    """A cluster, a client of it, and an audit."""

    def __init__(self, client: Client, composed: Composed) -> None:
        self.client = client
        self.audit = composed.audit
        self.judging = composed.judging

    async def put(self, *objects: Object | dict[str, Any]) -> None:
        for row in objects:
            raw = dict(row.raw) if isinstance(row, Object) else row
            async with asyncio.timeout(10):
                while True:
                    try:
                        resource = await self.client.resource(GVK.of(raw["apiVersion"], raw["kind"]))
                        break
                    except DiagnosticError:
                        await asyncio.sleep(0.02)  # a definition that is not established yet
            assert isinstance(await self.client.apply(resource, raw, force=True), dict)

    async def get(self, gvk: GVK, name: str, where: str = "") -> dict[str, Any] | None:
        return await self.client.get(await self.client.resource(gvk), name, where)

    async def delete(self, gvk: GVK, name: str, where: str = "") -> None:
        assert await self.client.delete(await self.client.resource(gvk), name, where)

    async def once(self, until: Callable[[Pass], bool] = lambda _: True) -> Pass:
        """A pass that has seen what was written before: its watches may be behind for a moment."""
        async with asyncio.timeout(10):
            while not until(found := await self.audit.once()):  # noqa: ASYNC110 - it is looked at, not told
                await asyncio.sleep(0.02)
        return found

    async def status(self, kind: str) -> dict[str, Any]:
        found = await self.get(GVK("constraints.gatekeeper.sh", "v1beta1", kind), "all")
        assert found is not None
        return dict(found.get("status") or {})


def run(folder: Path, work: Callable[[World], Awaitable[None]], **more: Any) -> None:
    async def main() -> None:
        cluster = await Cluster.start(Settings(folder=folder, port=0))
        try:
            async with Client(kubeconfig.load(str(cluster.kubeconfig))) as client:
                composed = compose(client, Auditing(interval=0, share=1, **more))
                world = World(client, composed)
                for file in CRDS:
                    documents = manifest.load(Source(file.name, file.read_text()))
                    await world.put(*(row.value for row in documents))
                try:
                    await work(world)
                finally:
                    await composed.audit.close()
        finally:
            await cluster.stop()

    asyncio.run(main())


async def guarded(world: World, *kinds: str) -> None:
    for kind in kinds:
        await world.put(template(kind), constraint_crd(kind), constraint(kind))


def test_statuses_and_reports_say_what_was_found(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.put(namespace("shop"), config_map("a", "shop"), config_map("b", "shop", "me"))
        await guarded(world, "NeedsOwner")
        found = await world.once()
        assert found.problems == ()
        status = await world.status("NeedsOwner")
        assert status["auditTimestamp"] == found.began.strftime("%Y-%m-%dT%H:%M:%SZ")
        violations = {(row["namespace"], row["name"]) for row in status["violations"]}
        assert ("shop", "a") in violations
        assert ("shop", "b") not in violations
        assert status["totalViolations"] == len(violations)
        report = await world.get(REPORT, "sekisho-audit", "shop")
        assert report is not None
        # The other one is the ConfigMap with the cluster's certificate, which has no owner either.
        assert report["summary"] == {"pass": 0, "fail": 2, "warn": 0, "error": 0, "skip": 0}
        (result,) = [row for row in report["results"] if row["resources"][0]["name"] == "a"]
        assert (result["policy"], result["rule"], result["result"]) == ("NeedsOwner", "all", "fail")
        assert result["resources"][0]["uid"]

    run(tmp_path, work)


def test_the_rest_of_a_status_stays(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.put(namespace("shop"), config_map("a", "shop"))
        await guarded(world, "NeedsOwner")
        resource = await world.client.resource(GVK("constraints.gatekeeper.sh", "v1beta1", "NeedsOwner"))
        by_pod = [{"id": "webhook", "enforced": True}]
        await world.client.patch(resource, "all", {"status": {"byPod": by_pod}}, subresource="status")
        await world.once()
        assert (await world.status("NeedsOwner"))["byPod"] == by_pod

    run(tmp_path, work)


def test_what_is_mended_is_gone_from_status_and_reports(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.put(namespace("shop"), config_map("a", "shop"))
        await guarded(world, "NeedsOwner")
        await world.once()
        assert await world.get(REPORT, "sekisho-audit", "shop")
        await world.put(config_map("a", "shop", "me"))

        def mended(found: Pass) -> bool:
            return not any(
                entry.object.namespace == "shop" and list(entry.findings())
                for entry in found.ledger.entries.values()
            )

        await world.put(config_map("kube-root-ca.crt", "shop", "me"))
        await world.once(mended)
        assert await world.get(REPORT, "sekisho-audit", "shop") is None
        names = [row["name"] for row in (await world.status("NeedsOwner")).get("violations", ())]
        assert "a" not in names

    run(tmp_path, work)


def test_nothing_is_judged_or_written_again_without_need(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.put(namespace("shop"), *(config_map(f"m{at}", "shop") for at in range(5)))
        await guarded(world, "NeedsOwner", "UniqueHost", "QuietZone")
        await world.once()
        before = await world.get(REPORT, "sekisho-audit", "shop")
        again = await world.once(lambda found: found.ledger.asked == 0)
        assert len(again.ledger.entries) > 5
        after = await world.get(REPORT, "sekisho-audit", "shop")
        assert before == after
        await world.put(config_map("m1", "shop", note="changed"))
        third = await world.once(lambda found: found.ledger.asked > 0)
        # The changed one; the referential policy looks at all of its kind again.
        assert third.ledger.asked <= 2 + len(third.ledger.entries)

    run(tmp_path, work)


def test_a_report_that_somebody_edits_or_deletes_comes_back(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.put(namespace("shop"), config_map("a", "shop"))
        await guarded(world, "NeedsOwner")
        await world.once()
        before = await world.get(REPORT, "sekisho-audit", "shop")
        assert before is not None
        resource = await world.client.resource(REPORT)
        await world.client.patch(resource, "sekisho-audit", {"results": []}, namespace="shop")
        async with asyncio.timeout(10):
            while True:
                await world.once()
                report = await world.get(REPORT, "sekisho-audit", "shop")
                if report and report["results"] == before["results"]:
                    break
        await world.delete(REPORT, "sekisho-audit", "shop")
        async with asyncio.timeout(10):
            while await world.get(REPORT, "sekisho-audit", "shop") is None:
                await world.once()

    run(tmp_path, work)


def test_waived_violations_are_skipped_in_reports(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.put(namespace("shop"), config_map("a", "shop"), waiver(expires="2090-01-01T00:00:00Z"))
        await guarded(world, "NeedsOwner")
        await world.once()
        report = await world.get(REPORT, "sekisho-audit", "shop")
        assert report is not None
        assert {row["result"] for row in report["results"]} == {"skip"}
        assert {row["properties"]["waiver"] for row in report["results"]} == {"w"}

    run(tmp_path, work)


def test_a_policy_that_comes_later_is_heeded_and_one_that_goes_is_forgotten(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.put(namespace("shop"), config_map("a", "shop"))
        assert (await world.once()).ledger.entries == {}
        await guarded(world, "NeedsOwner")
        await world.once(lambda found: bool(found.ledger.entries))
        await world.delete(GVK("constraints.gatekeeper.sh", "v1beta1", "NeedsOwner"), "all")
        await world.once(lambda found: not found.ledger.entries)
        assert await world.get(REPORT, "sekisho-audit", "shop") is None

    run(tmp_path, work)


def test_only_so_many_violations_are_listed(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.put(namespace("shop"), *(config_map(f"m{at}", "shop") for at in range(5)))
        await guarded(world, "NeedsOwner")
        await world.once()
        status = await world.status("NeedsOwner")
        assert len(status["violations"]) == 2
        assert status["totalViolations"] >= 5

    run(tmp_path, work, violations=2)


@pytest.mark.parametrize("kind", sorted(RULES))
def test_every_policy_judges_as_a_scan_of_the_same_objects(tmp_path: Path, kind: str) -> None:
    from datetime import UTC, datetime

    from tests.unit.audit.worlds import engine_of, snapshot_of

    from sekisho.audit import scan

    async def work(world: World) -> None:
        await world.put(namespace("shop", "quiet"), namespace("billing"))
        await world.put(
            config_map("a", "shop", host="x"),
            config_map("b", "billing", host="x"),
            config_map("c", "shop", loud="yes"),
        )
        await guarded(world, kind)
        found = await world.once()
        resources = {CM: await world.client.resource(CM)}
        spaces = await world.client.list_all(await world.client.resource(GVK("", "v1", "Namespace")))
        rows, _ = await world.client.list_all(resources[CM])
        objects = [Object(row) for row in (*spaces[0], *rows)]
        engine = engine_of([constraint(kind)], objects)
        plain = scan(objects, snapshot_of(engine, None, positions=False), now=datetime.now(UTC))
        said = {
            key: [row.message() for row in entry.findings()] for key, entry in found.ledger.entries.items()
        }
        wanted = {key: [row.message() for row in entry.findings()] for key, entry in plain.entries.items()}
        assert {key: rows for key, rows in said.items() if rows} == {
            key: rows for key, rows in wanted.items() if rows
        }

    run(tmp_path, work)


def test_a_kind_that_may_not_be_read_is_told_and_the_rest_is_judged(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.put(namespace("shop"), config_map("a", "shop"))
        await guarded(world, "NeedsOwner")
        resources = world.client.resources

        async def more() -> list[Resource]:
            ghost = Resource(gvr=GVR("", "v1", "ghosts"), kind="Secret", namespaced=True, verbs=("list",))
            return [row for row in await resources() if row.kind != "Secret"] + [ghost]

        world.client.resources = more  # type: ignore[method-assign]
        await world.put(constraint("NeedsOwner", kinds=[{"apiGroups": [""], "kinds": ["*"]}]))
        found = await world.once(lambda found: bool(found.problems))
        (problem,) = found.problems
        assert problem.code is codes.NOT_READ
        assert problem.message.startswith("ghosts cannot be read, and are not judged: ")
        assert any(list(entry.findings()) for entry in found.ledger.entries.values())

    run(tmp_path, work)


def test_a_pass_that_fails_is_told_and_made_again(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.put(namespace("shop"), config_map("a", "shop"))
        await guarded(world, "NeedsOwner")
        plain, failing = world.judging.snapshot, [True]

        def snapshot(objects: Any) -> Any:
            if failing:
                raise RuntimeError
            return plain(objects)

        world.judging.snapshot = snapshot  # type: ignore[method-assign]
        task = asyncio.create_task(world.audit.run())
        async with asyncio.timeout(20):
            while world.audit.failure is None:  # noqa: ASYNC110 - it is looked at, not told
                await asyncio.sleep(0.02)
            assert world.audit.failure.diagnostics[0].code is codes.FAILED
            failing.clear()
            while world.audit.last is None:
                world.audit.wake()
                await asyncio.sleep(0.02)
        task.cancel()

    run(tmp_path, work)
