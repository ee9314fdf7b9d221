"""The audit log: a line for every request, with what admission notes."""

from __future__ import annotations

import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.admission.test_webhooks import CM, Hooks, cm, config, hook
from tests.unit.apiserver.calling import Client, run
from tests.unit.cli.admission.test_live import BINDINGS, POLICIES, binding, policy

from sekisho.apiserver.audit import DECISION, AuditLog, note
from sekisho.apiserver.authz import Rbac
from sekisho.cli.admission.live import LivePolicies
from sekisho.kube.review import UserInfo

Json = dict[str, Any]


def logged(folder: Path, work: Callable[[Client], Awaitable[Any]], **settings: Any) -> list[Json]:
    file = folder / "audit.log"

    async def whole(call: Client) -> None:
        call.api.audit = AuditLog(file)
        await work(call)

    run(folder / "data", whole, **settings)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_request_is_a_line(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        ann = call.acting_as(UserInfo(username="ann", groups=("devs",), uid="7", extra={"k": ("v",)}))
        await ann("POST", CM, cm())
        await ann("GET", "/version")

    first, second = logged(tmp_path, work)
    assert {key: first[key] for key in ("kind", "apiVersion", "level", "stage", "verb", "requestURI")} == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "stage": "ResponseComplete",
        "verb": "create",
        "requestURI": CM,
    }
    assert first["user"] == {"username": "ann", "groups": ["devs"], "uid": "7", "extra": {"k": ["v"]}}
    assert first["objectRef"] == {"resource": "configmaps", "namespace": "default", "apiVersion": "v1"}
    assert first["responseStatus"]["code"] == 201
    assert first["annotations"] == {DECISION: "allow"}
    assert "objectRef" not in second
    assert first["auditID"] != second["auditID"]


def test_who_may_not_is_in_it(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        call.api.authorizer = Rbac(call.api.store)
        await call.acting_as(UserInfo(username="eve"))("GET", CM)

    [line] = logged(tmp_path, work)
    assert (line["responseStatus"]["code"], line["annotations"]) == (403, {DECISION: "forbid"})


def test_policies_note_what_they_found(tmp_path: Path) -> None:
    rule = {"expression": "false", "message": "never"}
    said = {"key": "who", "valueExpression": "'by ' + request.name"}

    async def work(call: Client) -> None:
        await call("POST", POLICIES, policy(rule, auditAnnotations=[said]))
        await call("POST", BINDINGS, binding(validationActions=["Audit"]))
        assert (await call("POST", CM, cm()))[0] == 201

    line = logged(tmp_path, work, guarding=LivePolicies().guarding())[-1]
    assert line["annotations"]["p/who"] == "by a"
    [failure] = json.loads(line["annotations"]["validation.policy.admission.k8s.io/validation_failure"])
    assert (failure["policy"], failure["message"]) == ("p", "never")


def test_webhooks_note_under_their_name(tmp_path: Path) -> None:
    hooks = Hooks(a={"auditAnnotations": {"seen": "yes"}})

    async def work(call: Client) -> None:
        path, raw = config("Validating", "v", hook("a"))
        await call("POST", path, raw)
        await call("POST", CM, cm())

    line = logged(tmp_path, work, caller=hooks)[-1]
    assert line["annotations"]["a.example.com/seen"] == "yes"


def test_nothing_is_kept_where_there_is_no_log() -> None:
    note({"a": "b"})


def test_a_disk_that_is_full_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work(call: Client) -> None:
        call.api.audit = AuditLog(Path("/dev/full"))
        for _ in range(2):
            assert (await call("GET", CM))[0] == 200

    run(tmp_path, work)
    assert [row.getMessage() for row in caplog.records] == [
        "the audit log cannot be written: No space left on device"
    ]
