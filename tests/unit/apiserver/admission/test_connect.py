"""Connections to Pods: exec, attach and port-forward ask admission, with their options as the object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver import calling
from tests.unit.apiserver.admission.test_webhooks import Hooks, add, config, hook
from tests.unit.apiserver.streaming.scripted import Scripted
from tests.unit.apiserver.streaming.test_streaming import PODS, Line, ask
from tests.unit.cli.admission.test_live import BINDINGS, POLICIES, binding, policy

from sekisho.apiserver.streaming import channels
from sekisho.cli.admission.live import LivePolicies

EXEC = "p/exec?command=echo&command=a&stdout=true&container=c"
RULE = {
    "operations": ["CONNECT"],
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "resources": ["pods/exec", "pods/attach", "pods/portforward"],
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"app": "x"}},
    "spec": {"containers": [{"name": "c", "image": "a"}], "nodeName": "n"},
}


def connected(folder: Path, work: Callable[[calling.Client], Awaitable[Any]], **settings: Any) -> Any:
    async def whole(call: calling.Client) -> Any:
        call.api.runtime = Scripted()
        assert (await call("POST", PODS, POD))[0] == 201
        return await work(call)

    return calling.run(folder, whole, **settings)


def hooked(folder: Path, hooks: Hooks, kind: str, path: str, **more: Any) -> Any:
    async def work(call: calling.Client) -> Any:
        where, raw = config(kind, "w", hook("a", rules=[RULE], **more))
        assert (await call("POST", where, raw))[0] == 201
        return await ask(
            call, f"{PODS}/{path}", upgrade="websocket", websocket_protocols=("v5.channel.k8s.io",)
        )

    return connected(folder, work, caller=hooks)


@pytest.mark.parametrize(
    ("path", "kind", "options"),
    [
        (EXEC, "PodExecOptions", {"stdout": True, "container": "c", "command": ["echo", "a"]}),
        ("p/attach?stdin=1&tty=true", "PodAttachOptions", {"stdin": True, "tty": True}),
        ("p/portforward?ports=80&ports=90", "PodPortForwardOptions", {"ports": [80, 90]}),
    ],
)
def test_a_webhook_sees_the_options(tmp_path: Path, path: str, kind: str, options: dict[str, Any]) -> None:
    hooks = Hooks(a={"allowed": False, "status": {"message": "not here", "code": 403}})
    answer = hooked(tmp_path, hooks, "Validating", path)
    assert answer.code == 403
    assert b"denied the request: not here" in answer.body
    [(_, request)] = hooks.asked
    subresource = path.partition("?")[0].removeprefix("p/")
    assert request["operation"] == "CONNECT"
    assert request["kind"] == {"group": "", "version": "v1", "kind": kind}
    assert (request["resource"]["resource"], request["subResource"]) == ("pods", subresource)
    assert (request["name"], request["namespace"], request["dryRun"]) == ("p", "default", False)
    assert request["object"] == {"kind": kind, "apiVersion": "v1", **options}
    assert request["oldObject"] is None
    assert request["options"] is None


def test_a_webhook_may_change_the_command(tmp_path: Path) -> None:
    hooks = Hooks(a=lambda _: add("/command", ["echo", "other"]))
    line = Line()

    async def work(call: calling.Client) -> list[bytes]:
        where, raw = config("Mutating", "w", hook("a", rules=[RULE]))
        assert (await call("POST", where, raw))[0] == 201
        answer = await ask(
            call, f"{PODS}/{EXEC}", upgrade="websocket", websocket_protocols=channels.WEBSOCKET
        )
        assert answer.upgrade is not None, answer.body
        await answer.upgrade.serve(line)
        return line.sent()

    sent = b"".join(connected(tmp_path, work, caller=hooks))
    assert b"other" in sent


def test_a_selector_of_objects_fits_no_options(tmp_path: Path) -> None:
    hooks = Hooks(a={"allowed": False})
    selector = {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}
    assert hooked(tmp_path, hooks, "Validating", EXEC, objectSelector=selector).upgrade is not None
    assert not hooks.asked


def test_logs_ask_nobody(tmp_path: Path) -> None:
    hooks = Hooks(a={"allowed": False})
    everything = [{**RULE, "operations": ["*"], "resources": ["*/*"]}]

    async def work(call: calling.Client) -> Any:
        where, raw = config("Validating", "w", hook("a", rules=everything))
        assert (await call("POST", where, raw))[0] == 201
        return await ask(call, f"{PODS}/p/log")

    assert connected(tmp_path, work, caller=hooks).code == 200
    assert not hooks.asked


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("object.command[0] != 'echo'", 422),
        ("object.kind == 'PodExecOptions' && request.operation == 'CONNECT'", 200),
        ("!object.stdin", 422),
        ("namespaceObject.metadata.name == 'default' && request.name == 'p'", 200),
    ],
)
def test_a_policy_judges_the_options(tmp_path: Path, expression: str, code: int) -> None:
    async def work(call: calling.Client) -> Any:
        rule = {"resourceRules": [RULE]}
        raw = policy({"expression": expression, "message": "no"}, matchConstraints=rule)
        assert (await call("POST", POLICIES, raw))[0] == 201
        assert (await call("POST", BINDINGS, binding()))[0] == 201
        path = f"{PODS}/{EXEC.replace('stdout', 'stdin=true&stdout')}"
        return await ask(call, path, upgrade="websocket", websocket_protocols=channels.WEBSOCKET)

    answer = connected(tmp_path, work, guarding=LivePolicies().guarding())
    assert (answer.code, answer.upgrade is None) == (code, code != 200)
