"""Leader election against the embedded server: one at a time, handed over, lost, taken over from the dead."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sekisho.apiserver.cluster import Cluster, Settings
from sekisho.cluster import kubeconfig
from sekisho.cluster.client import Client
from sekisho.cluster.leases import LEASE, Candidate, Elector, LeadershipLost, Timing

FAST = Timing(duration=2.0, renew=1.4, retry=0.1)
PATIENCE = 10.0


def run(folder: Path, work: Callable[[Client], Awaitable[None]]) -> None:
    async def main() -> None:
        cluster = await Cluster.start(Settings(folder=folder, port=0))
        async with Client(kubeconfig.load(str(cluster.kubeconfig))) as client:
            try:
                async with asyncio.timeout(3 * PATIENCE):
                    await work(client)
            finally:
                await cluster.stop()

    asyncio.run(main())


def elector(client: Client, identity: str, **more: Any) -> Elector:
    row = {"namespace": "default", "name": "audit", "identity": identity, "timing": FAST}
    return Elector(client, Candidate(**{**row, **more}))


async def lease(client: Client) -> dict[str, Any]:
    found = await client.get(await client.resource(LEASE), "audit", "default")
    assert found is not None
    return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for is in another task's hands
            await asyncio.sleep(0.01)


def test_the_first_holds_it_and_the_lease_says_so(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        async with elector(client, "a").holding():
            spec = (await lease(client))["spec"]
            assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == ("a", 2)
            assert spec["leaseTransitions"] == 0
            await asyncio.sleep(0.3)
            later = (await lease(client))["spec"]
            assert later["renewTime"] > spec["renewTime"]
            assert later["acquireTime"] == spec["acquireTime"]

    run(tmp_path, work)


def test_it_is_given_up_at_the_end_so_the_next_need_not_wait(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        slow = Timing(duration=60, renew=40, retry=0.05)
        async with elector(client, "a", timing=slow).holding():
            pass
        spec = (await lease(client))["spec"]
        assert ("holderIdentity" in spec, spec["leaseDurationSeconds"]) == (False, 1)
        second = elector(client, "b", timing=slow)
        async with asyncio.timeout(5), second.holding():
            assert (await lease(client))["spec"]["leaseTransitions"] == 1

    run(tmp_path, work)


def test_only_one_leads_at_a_time(tmp_path: Path) -> None:
    inside: list[str] = []
    order: list[str] = []

    async def one(client: Client, name: str) -> None:
        async def work() -> None:
            inside.append(name)
            assert inside == [name]
            order.append(name)
            await asyncio.sleep(0.2)
            inside.remove(name)

        await elector(client, name).run(work)

    async def work(client: Client) -> None:
        await asyncio.gather(*(one(client, name) for name in "abcd"))

    run(tmp_path, work)
    assert sorted(order) == list("abcd")


def test_a_dead_holder_is_replaced_after_its_time_and_not_before(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        dead = elector(client, "dead", release=False)
        await dead.acquire()
        clock = asyncio.get_running_loop().time
        begun = clock()
        heir = elector(client, "heir")
        await heir.acquire()
        assert clock() - begun >= 1.9
        assert not dead.leading
        assert (await lease(client))["spec"]["holderIdentity"] == "heir"

    run(tmp_path, work)


def test_work_is_cancelled_when_another_takes_the_lease(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        async def usurp() -> None:
            await asyncio.sleep(0.2)
            spec = {"holderIdentity": "thief", "leaseDurationSeconds": 60}
            resource = await client.resource(LEASE)
            await client.patch(resource, "audit", {"spec": spec}, namespace="default")

        task = asyncio.create_task(usurp())
        with pytest.raises(LeadershipLost) as caught:
            async with elector(client, "a").holding():
                await asyncio.sleep(PATIENCE)
        await task
        assert "thief has it" in str(caught.value)
        assert (await lease(client))["spec"]["holderIdentity"] == "thief"

    run(tmp_path, work)


def test_work_is_cancelled_before_the_lease_may_be_taken_when_the_server_is_gone(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = await Cluster.start(Settings(folder=tmp_path, port=0))
        clock = asyncio.get_running_loop().time
        async with Client(kubeconfig.load(str(cluster.kubeconfig))) as client:
            begun = clock()

            async def lead() -> None:
                await cluster.stop()
                await asyncio.sleep(PATIENCE)

            with pytest.raises(LeadershipLost) as caught:
                async with elector(client, "a").holding():
                    await lead()
            assert clock() - begun < FAST.duration + 2.0
            assert "was not renewed" in str(caught.value)

    asyncio.run(main())


def test_run_begins_anew_after_a_loss(tmp_path: Path) -> None:
    starts: list[int] = []

    async def work(client: Client) -> None:
        async def job() -> str:
            starts.append(1)
            if len(starts) == 1:
                spec = {"holderIdentity": "thief", "leaseDurationSeconds": 1}
                resource = await client.resource(LEASE)
                await client.patch(resource, "audit", {"spec": spec}, namespace="default")
                await asyncio.sleep(PATIENCE)
            return "done"

        assert await elector(client, "a").run(job) == "done"

    run(tmp_path, work)
    assert len(starts) == 2


def test_cancelling_the_holder_is_no_loss(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        held = asyncio.Event()

        async def hold() -> None:
            async with elector(client, "a").holding():
                held.set()
                await asyncio.sleep(PATIENCE)

        task = asyncio.create_task(hold())
        await held.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "holderIdentity" not in (await lease(client))["spec"]

    run(tmp_path, work)


def test_the_holder_annotates_its_lease_and_nobody_else_does(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        holder = elector(client, "a")
        async with holder.holding():
            await holder.annotate({"sekisho.dev/head": "abc"})
            assert (await lease(client))["metadata"]["annotations"] == {"sekisho.dev/head": "abc"}
            await asyncio.sleep(0.2)
            assert (await lease(client))["metadata"]["annotations"] == {"sekisho.dev/head": "abc"}
            with pytest.raises(LeadershipLost):
                await elector(client, "b").annotate({"sekisho.dev/head": "forged"})

    run(tmp_path, work)


def test_changes_of_leader_are_told_once(tmp_path: Path) -> None:
    told: list[str] = []

    async def work(client: Client) -> None:
        watcher = Elector(
            client,
            Candidate(namespace="default", name="audit", identity="w", timing=FAST),
            on_leader=told.append,
        )
        async with elector(client, "a").holding():
            task = asyncio.create_task(watcher.acquire())
            await until(lambda: watcher.leader == "a")
        await task

    run(tmp_path, work)
    assert [row for row in told if row] == ["a", "w"]


@pytest.mark.parametrize(
    "wrong",
    [{"duration": 10.0, "renew": 10.0}, {"renew": 2.0, "retry": 2.0}, {"retry": 0.0}],
    ids=["renewed-too-late", "no-second-try", "no-pause"],
)
def test_times_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(AssertionError):
        Timing(**wrong)
