"""One decision path: the webhook server answers over its wire what ``check`` says, for every case of the tree."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.unit.policy.test_one_path import FOLDERS, TESTS, TIME

from sekisho.admission import Edition, Service, Settings
from sekisho.cli.inputs import read_objects
from sekisho.cli.serving.engines import EngineSnapshot, How, build, is_about_policy
from sekisho.diag import Deadline
from sekisho.kube import patch
from sekisho.kube.defaults import apply_defaults
from sekisho.kube.object import Object
from sekisho.kube.review import Outcome, Request, Rung, Verdict, decide, message
from sekisho.web.server import Incoming

QUERY = (("timeout", "10s"),)


async def ask(service: Service, path: str, request: Request) -> dict[str, Any] | None:
    """The response of a webhook; None where it leaves it to the failure policy."""
    review = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {**request.to_json(), "uid": "1"},
    }
    answer = await service.handle(Incoming(method="POST", path=path, query=QUERY, body=orjson.dumps(review)))
    if answer.code != 200:
        return None
    return dict(orjson.loads(answer.body)["response"])


async def asked(service: Service, request: Request) -> tuple[str, list[str], list[str]]:
    """What a CREATE comes to through both webhooks: outcome, the lines of a refusal, warnings.

    Both may warn of the same thing, such as a waiver that an annotation asks for in vain.
    """
    first = await ask(service, "/v1/mutate", request)
    if first is None:
        return Outcome.COULD_NOT_ASK.value, [], []
    if not first["allowed"]:
        return Outcome.DENY.value, first["status"]["message"].split("\n"), []
    if "patch" in first:
        raw = patch.apply(request.subject.raw, orjson.loads(base64.b64decode(first["patch"])))
        request = request.with_object(apply_defaults(Object(raw)))
    second = await ask(service, "/v1/admit", request)
    if second is None:
        return Outcome.COULD_NOT_ASK.value, [], []
    warnings = [*first.get("warnings", ()), *second.get("warnings", ())]
    lines = second["status"]["message"].split("\n") if not second["allowed"] else []
    return Outcome.ALLOW.value if second["allowed"] else Outcome.DENY.value, lines, warnings


def expected(verdict: Verdict) -> tuple[str, list[str], list[str]]:
    """The same of a verdict."""
    if verdict.outcome is Outcome.COULD_NOT_ASK:
        return verdict.outcome.value, [], []
    lines = message(verdict).split("\n") if verdict.outcome is Outcome.DENY else []
    return verdict.outcome.value, lines, [*verdict.lines(Rung.WARN), *verdict.warnings]


def plain(found: tuple[str, list[str], list[str]]) -> tuple[str, list[str], list[str]]:
    outcome, lines, warnings = found
    return outcome, [TIME.sub("…", row) for row in lines], sorted({TIME.sub("…", row) for row in warnings})


ENDLESS = TESTS / "cases" / "check" / "rego-endless"
"""A policy that does not end is a violation for ``check``; the webhook leaves it to the failure policy."""


@pytest.mark.parametrize(
    "folder",
    [row for row in FOLDERS if row != ENDLESS],
    ids=lambda path: path.relative_to(TESTS.parent).as_posix(),
)
def test_check_and_the_webhook_server_agree(folder: Path) -> None:
    objects = read_objects([str(folder)]).objects
    raws = tuple(dict(row.raw) for row in objects)
    snapshot = build(Edition(policies=raws, inventory=raws), How(cache=False, positions=False))
    subjects = [row for row in objects if not is_about_policy(row)]
    asyncio.run(compare(snapshot, subjects))


async def compare(snapshot: EngineSnapshot, objects: list[Object]) -> None:
    service = Service(lambda: snapshot, Settings())
    try:
        for object in objects:
            namespace = snapshot.namespace(object.namespace)
            request = Request.of(apply_defaults(Object(dict(object.raw))), namespace_object=namespace)
            checked = decide(
                snapshot.steps("validation.gatekeeper.sh"),
                request,
                now=datetime.now(UTC),
                deadline=Deadline.after(10),
                rules=snapshot.rules,
            )
            assert plain(await asked(service, request)) == plain(expected(checked))
    finally:
        service.close()
