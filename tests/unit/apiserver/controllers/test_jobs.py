"""Jobs and CronJobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
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

from sekisho.apiserver.controllers.workloads import cronjobs
from sekisho.apiserver.controllers.workloads.plan import Make, Remove, Tell, View
from sekisho.apiserver.schedule import ScheduleError, read

JOB = f"{BATCH}/jobs/x"


def ended(value: Json) -> list[tuple[str, str]]:
    return [(row["type"], row["reason"]) for row in value["status"].get("conditions", ())]


async def waiting(call: Client) -> list[Json]:
    return [row for row in await items(call, PODS) if row["status"]["phase"] == "Pending"]


def test_a_job_runs_until_enough_pods_have_succeeded(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        made = await make(call, f"{BATCH}/jobs", job(completions=3, parallelism=2))
        uid = made["metadata"]["uid"]
        assert made["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        for left in (2, 2, 1):
            pods = await waiting(call)
            assert len(pods) == left
            await end(call, pods[0], "Succeeded")
        found = await get(call, JOB)
        assert found["status"]["succeeded"] == 3
        assert ended(found) == [
            ("SuccessCriteriaMet", "CompletionsReached"),
            ("Complete", "CompletionsReached"),
        ]
        assert found["status"]["completionTime"]
        assert (await said(call, "Job"))[-1] == "Completed: Job completed"
        assert all("finalizers" not in row["metadata"] for row in await items(call, PODS))

    run(tmp_path, work)


def test_a_pod_that_is_deleted_after_its_end_is_counted_once(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{BATCH}/jobs", job(completions=2))
        [pod] = await waiting(call)
        await end(call, pod, "Succeeded")
        await call("DELETE", f"{PODS}/{pod['metadata']['name']}")
        await call.settle()
        found = await get(call, JOB)
        assert found["status"]["succeeded"] == 1
        assert found["status"]["uncountedTerminatedPods"] == {}
        assert len(await waiting(call)) == 1

    run(tmp_path, work)


def test_a_job_fails_after_its_last_try(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{BATCH}/jobs", job(backoffLimit=1))
        for _ in range(2):
            [pod] = await waiting(call)
            await end(call, pod, "Failed")
        found = await get(call, JOB)
        assert ended(found) == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
        assert found["status"]["failed"] == 2
        assert (await said(call, "Job"))[-1] == (
            "BackoffLimitExceeded: Job has reached the specified backoff limit"
        )

    run(tmp_path, work)


def test_an_indexed_job_gives_each_pod_a_number(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{BATCH}/jobs", job(completions=3, parallelism=3, completionMode="Indexed"))
        pods = sorted(await waiting(call), key=lambda row: str(row["spec"]["hostname"]))
        assert [row["spec"]["hostname"] for row in pods] == ["x-0", "x-1", "x-2"]
        [env] = pods[1]["spec"]["containers"][0]["env"]
        assert env["name"] == "JOB_COMPLETION_INDEX"
        for number in (0, 2):
            await end(call, pods[number], "Succeeded")
        assert (await get(call, JOB))["status"]["completedIndexes"] == "0,2"
        await end(call, pods[1], "Succeeded")
        found = await get(call, JOB)
        assert found["status"]["completedIndexes"] == "0-2"
        assert ("Complete", "CompletionsReached") in ended(found)

    run(tmp_path, work)


def test_a_suspended_job_has_no_pods_and_loses_none_to_the_limit(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{BATCH}/jobs", job(backoffLimit=0))
        await patch(call, JOB, {"spec": {"suspend": True}})
        assert await items(call, PODS) == []
        assert ended(await get(call, JOB)) == [("Suspended", "JobSuspended")]
        await patch(call, JOB, {"spec": {"suspend": False}})
        assert len(await waiting(call)) == 1
        found = await get(call, JOB)
        assert ended(found) == [("Suspended", "JobResumed")]
        assert "failed" not in found["status"]

    run(tmp_path, work)


def test_a_job_that_has_ended_goes_when_its_time_is_over(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        await make(call, f"{BATCH}/jobs", job(ttlSecondsAfterFinished=0))
        [pod] = await waiting(call)
        await end(call, pod, "Succeeded")
        assert await items(call, f"{BATCH}/jobs") == []
        assert await items(call, PODS) == []

    run(tmp_path, work)


# CronJobs.

NOW = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


def view(jobs: list[Json] | None = None, status: Json | None = None, **spec: object) -> View:
    owner: Json = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": "c",
            "namespace": "default",
            "uid": "u",
            "creationTimestamp": "2026-03-01T11:55:00Z",
        },
        "spec": {"schedule": "*/10 * * * *", "jobTemplate": {"spec": {"template": {}}}, **spec},
        "status": status or {},
    }
    return View(owner=owner, children=jobs or [], now=NOW)


def child(name: str, end: str = "", start: str = "2026-03-01T11:00:00Z") -> Json:
    rows = [{"type": end, "status": "True"}] if end else []
    return {
        "metadata": {"name": name, "namespace": "default", "uid": f"u-{name}"},
        "status": {"conditions": rows, "startTime": start},
    }


def test_a_job_is_made_when_it_is_due() -> None:
    plan = cronjobs.reconcile(view())
    [step] = plan.steps
    assert isinstance(step, Make)
    assert step.place.name == f"c-{int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) // 60}"
    assert step.told == Tell(reason="SuccessfulCreate", message=f"Created job {step.place.name}")
    assert plan.status is not None
    assert plan.status("")["lastScheduleTime"] == "2026-03-01T12:00:00Z"
    assert plan.again == pytest.approx(595.1)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"suspend": True}, []),
        ({"concurrencyPolicy": "Forbid"}, ["JobAlreadyActive"]),
        ({"concurrencyPolicy": "Replace"}, ["SuccessfulDelete", "SuccessfulCreate"]),
        ({"startingDeadlineSeconds": 3}, []),
        ({"schedule": "61 * * * *"}, ["UnparseableSchedule"]),
    ],
)
def test_what_keeps_a_job_from_being_made(spec: Json, words: list[str]) -> None:
    steps = cronjobs.reconcile(view([child("a")], **spec)).steps
    told = [step if isinstance(step, Tell) else step.told for step in steps]
    assert [row.reason for row in told if row is not None] == words


def test_old_jobs_beyond_the_limits_go() -> None:
    jobs = [child(f"j{number}", "Complete", f"2026-03-01T0{number}:00:00Z") for number in range(5)]
    plan = cronjobs.reconcile(view(jobs, {"lastScheduleTime": "2026-03-01T12:00:00Z"}))
    assert [step.place.name for step in plan.steps if isinstance(step, Remove)] == ["j0", "j1"]


MOMENTS = (
    ("0 0 1 1 *", None, "2027-01-01T00:00:00+00:00"),
    ("@daily", None, "2026-03-02T00:00:00+00:00"),
    ("*/15 9-17 * * mon-fri", None, "2026-03-02T09:00:00+00:00"),
    ("0 12 13 * 5", None, "2026-03-06T12:00:00+00:00"),  # a 13th or a Friday
    ("30 2 * * *", "Europe/Berlin", "2026-03-02T01:30:00+00:00"),
    ("0 0 30 2 *", None, None),
)


@pytest.mark.parametrize(("text", "zone", "wanted"), MOMENTS)
def test_when_a_schedule_is_due_next(text: str, zone: str | None, wanted: str | None) -> None:
    found = read(text, zone).after(NOW)
    assert (found.isoformat() if found else None) == wanted


def test_an_hour_that_the_clock_leaves_out_is_not_due() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)  # clocks go forward on the 29th, from 2 to 3
    found = read("30 2 * * *", "Europe/Berlin").after(before)
    assert found == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "* * * *", "60 * * * *", "*/0 * * * *", "5-1 * * * *", "a * * * *", "1,, * * * *", "*" * 300]
)
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(ScheduleError):
        read(text)


def test_far_behind_the_last_moment_is_found() -> None:
    due, count = read("* * * * *").last(NOW - timedelta(days=3), NOW)
    assert due == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert count == 101
