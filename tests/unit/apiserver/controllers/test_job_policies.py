"""Jobs with rules about failures and successes, and with limits for each index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.controllers.test_jobs import JOB, ended, waiting
from tests.unit.apiserver.controllers.workloads import (
    BATCH,
    PODS,
    Json,
    end,
    get,
    items,
    job,
    make,
    patch,
    said,
)
from tests.unit.apiserver.running import Client, run

from sekisho.apiserver.controllers.workloads.jobs.indexes import parsed, written
from sekisho.apiserver.controllers.workloads.jobs.policies import failure_of, success_of

COUNT = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"


def on_exit(action: str, *values: int, operator: str = "In", **more: Any) -> Json:
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(values), **more}}


def on_condition(action: str, type: str) -> Json:
    return {"action": action, "onPodConditions": [{"type": type, "status": "True"}]}


def indexed(completions: int, **spec: Any) -> Json:
    return job(completionMode="Indexed", completions=completions, **{"parallelism": completions, **spec})


async def of_index(call: Client, number: int) -> Json:
    [found] = [row for row in await waiting(call) if row["spec"]["hostname"] == f"x-{number}"]
    return found


# What rules say.


def failed(code: int = 1, *, name: str = "c", conditions: list[Json] | None = None) -> Json:
    rows = [{"name": name, "state": {"terminated": {"exitCode": code}}}]
    metadata = {"name": "p", "namespace": "n"}
    return {"metadata": metadata, "status": {"containerStatuses": rows, "conditions": conditions or []}}


RULES = (
    ([on_exit("FailJob", 42)], failed(42), "FailJob"),
    ([on_exit("FailJob", 42)], failed(1), ""),
    ([on_exit("FailJob", 42, operator="NotIn")], failed(1), "FailJob"),
    ([on_exit("FailJob", 1, containerName="other")], failed(1), ""),
    ([on_exit("Count", 1), on_exit("FailJob", 1)], failed(1), "Count"),
    ([on_condition("Ignore", "DisruptionTarget")], failed(), ""),
    (
        [on_condition("Ignore", "DisruptionTarget")],
        failed(conditions=[{"type": "DisruptionTarget", "status": "True"}]),
        "Ignore",
    ),
    ([on_exit("FailJob", 0, operator="NotIn")], failed(0), ""),
    ([], failed(1), ""),
)


@pytest.mark.parametrize(("rules", "pod", "action"), RULES)
def test_the_first_rule_that_fits_decides(rules: list[Json], pod: Json, action: str) -> None:
    assert failure_of({"spec": {"podFailurePolicy": {"rules": rules}}}, pod).action == action


SUCCESSES = (
    ([{"succeededIndexes": "0"}], {0}, "Matched rules at index 0"),
    ([{"succeededIndexes": "0,2-3"}], {0, 2}, ""),
    ([{"succeededIndexes": "0,2-3"}], {0, 2, 3}, "Matched rules at index 0"),
    ([{"succeededIndexes": "0-3", "succeededCount": 2}], {1, 3}, "Matched rules at index 0"),
    ([{"succeededIndexes": "0-3", "succeededCount": 2}], {1, 4}, ""),
    ([{"succeededIndexes": "9"}, {"succeededCount": 1}], {4}, "Matched rules at index 1"),
    ([{"succeededCount": 1}], set(), ""),
)


@pytest.mark.parametrize(("rules", "done", "wanted"), SUCCESSES)
def test_what_is_enough(rules: list[Json], done: set[int], wanted: str) -> None:
    assert success_of({"spec": {"completions": 5, "successPolicy": {"rules": rules}}}, done) == wanted


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("", set()), ("0", {0}), ("0,1", {0, 1}), ("0-2,4,5", {0, 1, 2, 4, 5}), ("7-9", {7, 8, 9})],
)
def test_indexes_are_written_and_read(text: str, numbers: set[int]) -> None:
    assert written(numbers) == text
    assert parsed(text, 100) == numbers


@pytest.mark.parametrize("text", ["x", "1-y", "-1", "5-2", "99999999999999999999", "²"])
def test_what_is_no_index_is_left_aside(text: str) -> None:
    assert parsed(text, 10) == frozenset()


# Whole Jobs.


def test_a_code_fails_the_whole_job(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        policy = {"rules": [on_exit("FailJob", 42)]}
        await make(call, f"{BATCH}/jobs", job(parallelism=2, completions=2, podFailurePolicy=policy))
        pods = await waiting(call)
        await end(call, pods[0], "Failed", code=42)
        found = await get(call, JOB)
        assert ended(found) == [("FailureTarget", "PodFailurePolicy"), ("Failed", "PodFailurePolicy")]
        name = pods[0]["metadata"]["name"]
        why = f"Container c for pod default/{name} failed with exit code 42 matching FailJob rule at index 0"
        assert found["status"]["conditions"][-1]["message"] == why
        assert (await said(call, "Job"))[-1] == f"PodFailurePolicy: {why}"
        assert not await waiting(call)

    run(tmp_path, work)


def test_a_disruption_does_not_count(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        policy = {"rules": [on_condition("Ignore", "DisruptionTarget")]}
        await make(call, f"{BATCH}/jobs", job(backoffLimit=0, podFailurePolicy=policy))
        for _ in range(3):
            [pod] = await waiting(call)
            row = {"type": "DisruptionTarget", "status": "True", "reason": "R"}
            await end(call, pod, "Failed", conditions=[row])
        found = await get(call, JOB)
        assert ended(found) == []
        assert "failed" not in found["status"]
        assert found["status"]["uncountedTerminatedPods"] == {}
        [pod] = await waiting(call)
        await end(call, pod, "Succeeded")
        assert ("Complete", "CompletionsReached") in ended(await get(call, JOB))

    run(tmp_path, work)


def test_success_of_some_indexes_is_enough(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        policy = {"rules": [{"succeededIndexes": "0"}]}
        await make(call, f"{BATCH}/jobs", indexed(3, successPolicy=policy))
        await end(call, await of_index(call, 0), "Succeeded")
        found = await get(call, JOB)
        assert ended(found) == [("SuccessCriteriaMet", "SuccessPolicy"), ("Complete", "SuccessPolicy")]
        assert found["status"]["conditions"][0]["message"] == "Matched rules at index 0"
        status = found["status"]
        assert (status["completedIndexes"], status["succeeded"], status.get("failed")) == ("0", 1, None)
        assert not await waiting(call)

    run(tmp_path, work)


def test_an_index_fails_alone(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        made = await make(call, f"{BATCH}/jobs", indexed(2, backoffLimitPerIndex=1))
        assert made["spec"]["backoffLimit"] == 2**31 - 1
        for count in ("0", "1"):
            pod = await of_index(call, 1)
            assert pod["metadata"]["annotations"][COUNT] == count
            await end(call, pod, "Failed")
        found = await get(call, JOB)
        assert ended(found) == []
        assert found["status"]["failedIndexes"] == "1"
        assert found["status"]["failed"] == 2
        await end(call, await of_index(call, 0), "Succeeded")
        found = await get(call, JOB)
        assert ended(found) == [("FailureTarget", "FailedIndexes"), ("Failed", "FailedIndexes")]
        assert (found["status"]["completedIndexes"], found["status"]["failedIndexes"]) == ("0", "1")
        assert all("finalizers" not in row["metadata"] for row in await items(call, PODS))

    run(tmp_path, work)


def test_too_many_failed_indexes_end_the_job(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{BATCH}/jobs", indexed(3, backoffLimitPerIndex=0, maxFailedIndexes=1))
        for number in (0, 2):
            await end(call, await of_index(call, number), "Failed")
        found = await get(call, JOB)
        reason = "MaxFailedIndexesExceeded"
        assert ended(found) == [("FailureTarget", reason), ("Failed", reason)]
        assert found["status"]["failedIndexes"] == "0,2"

    run(tmp_path, work)


def test_a_rule_fails_an_index_at_once(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        policy = {"rules": [on_exit("FailIndex", 42), on_condition("Ignore", "DisruptionTarget")]}
        await make(call, f"{BATCH}/jobs", indexed(2, backoffLimitPerIndex=3, podFailurePolicy=policy))
        row = {"type": "DisruptionTarget", "status": "True", "reason": "R"}
        await end(call, await of_index(call, 0), "Failed", conditions=[row])
        again = await of_index(call, 0)
        assert again["metadata"]["annotations"][COUNT] == "0"
        assert again["metadata"]["annotations"][IGNORED] == "1"
        await end(call, again, "Failed", code=42)
        found = await get(call, JOB)
        assert (ended(found), found["status"]["failedIndexes"]) == ([], "0")
        assert [row["spec"]["hostname"] for row in await waiting(call)] == ["x-1"]

    run(tmp_path, work)


def test_fewer_completions_take_the_last_indexes_along(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{BATCH}/jobs", indexed(3))
        await patch(call, JOB, {"spec": {"completions": 2, "parallelism": 2}})
        assert sorted(row["spec"]["hostname"] for row in await waiting(call)) == ["x-0", "x-1"]

    run(tmp_path, work)


def test_containers_that_start_again_and_again_end_the_job(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        found = job(backoffLimit=2)
        found["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
        await make(call, f"{BATCH}/jobs", found)
        [pod] = await waiting(call)
        row = {"name": "c", "image": "i", "imageID": "", "ready": False, "restartCount": 2}
        status = {"phase": "Running", "containerStatuses": [row]}
        await patch(call, f"{PODS}/{pod['metadata']['name']}/status", {"status": status})
        assert ended(await get(call, JOB))[0] == ("FailureTarget", "BackoffLimitExceeded")

    run(tmp_path, work)
