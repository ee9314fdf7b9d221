"""Statuses of policies: by pod, put together, and of audits."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest
from tests.unit.policy.made import config, constraint, engine, pod, sync_set, template

from sekisho import manifest
from sekisho.diag import ObjectPath, Source
from sekisho.kube.object import Object
from sekisho.kube.review import Request
from sekisho.kube.schema import Schema, parse_schema, resource_schema, validate
from sekisho.policy import AUDIT, Ask, Engine, shapes
from sekisho.policy.status import Generated, Pod, State, aggregated, audited, has_status, pod_status
from sekisho.policy.status.audit import MESSAGE

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HERE = Pod(id="gatekeeper-audit-7f9c", uid="p-1", operations=("webhook", "audit"))


def stored(object: Object, uid: str = "u-1", generation: int = 3) -> Object:
    metadata = {**object.raw["metadata"], "uid": uid, "generation": generation}
    return Object({**object.raw, "metadata": metadata})


def mutator(name: str, location: str, value: Any = "x") -> Object:
    return Object(
        {
            "apiVersion": "mutations.gatekeeper.sh/v1",
            "kind": "Assign",
            "metadata": {"name": name},
            "spec": {
                "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}],
                "location": location,
                "parameters": {"assign": {"value": value}},
            },
        }
    )


EXPANSION = Object(
    {
        "apiVersion": "expansion.gatekeeper.sh/v1beta1",
        "kind": "ExpansionTemplate",
        "metadata": {"name": "e-1"},
    }
)
PROVIDER = Object(
    {
        "apiVersion": "externaldata.gatekeeper.sh/v1beta1",
        "kind": "Provider",
        "metadata": {"name": "signatures"},
        "spec": {"url": "http://provider.example", "timeout": 1},
    }
)
MALFORMED = Object(
    {
        "apiVersion": "config.gatekeeper.sh/v1alpha1",
        "kind": "Config",
        "metadata": {"name": "config", "namespace": "gatekeeper-system"},
        "spec": {"match": 3},
    }
)
BROKEN = template("violation contains 3 if {", kind="Broken")


def schemas() -> dict[str, Any]:
    text = resources.files("sekisho.policy").joinpath("crds", "podstatuses.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = {}
    for document in manifest.load(Source("crds", text)):
        spec = document.value["spec"]
        raw = spec["versions"][0]["schema"]["openAPIV3Schema"]
        found[spec["names"]["kind"]] = resource_schema(parse_schema(raw))
    return found


SCHEMAS = schemas()


def written(object: Object, *others: Object, **options: Any) -> dict[str, Any]:
    """What HERE writes of an object, held against the shape of its resource."""
    faults = Engine.build([object, *others]).faults.get(object.ref(), ())
    made = pod_status(object, faults, HERE, now=NOW, **options)
    at = Object(made)
    assert not list(validate(made, SCHEMAS[made["kind"]], lambda path, key: at.at(*path, key=key)))
    return made


def test_a_sound_constraint() -> None:
    assert written(stored(constraint("must-not")), template()) == {
        "apiVersion": "status.gatekeeper.sh/v1beta1",
        "kind": "ConstraintPodStatus",
        "metadata": {
            "name": "gatekeeper--audit--7f9c-k8sthing-must--not",
            "namespace": "gatekeeper-system",
            "labels": {
                "internal.gatekeeper.sh/constraint-name": "must-not",
                "internal.gatekeeper.sh/constraint-kind": "K8sThing",
                "internal.gatekeeper.sh/constrainttemplate-name": "k8sthing",
                "internal.gatekeeper.sh/pod": "gatekeeper-audit-7f9c",
            },
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Pod", "name": "gatekeeper-audit-7f9c", "uid": "p-1"}
            ],
        },
        "status": {
            "id": "gatekeeper-audit-7f9c",
            "constraintUID": "u-1",
            "operations": ["audit", "webhook"],
            "enforced": True,
            "observedGeneration": 3,
        },
    }


@pytest.mark.parametrize(
    ("object", "kind", "name", "labels"),
    [
        (template(), "ConstraintTemplatePodStatus", "k8sthing", {"constrainttemplate-name": "k8sthing"}),
        (
            mutator("pull", "spec.x"),
            "MutatorPodStatus",
            "assign-pull",
            {"mutator-name": "pull", "mutator-kind": "Assign"},
        ),
        (EXPANSION, "ExpansionTemplatePodStatus", "e--1", {"expansiontemplate-name": "e-1"}),
        (config(), "ConfigPodStatus", "gatekeeper--system-config", {"config-name": "config"}),
        (PROVIDER, "ProviderPodStatus", "signatures", {"provider-name": "signatures"}),
    ],
)
def test_names_and_labels(object: Object, kind: str, name: str, labels: dict[str, str]) -> None:
    made = written(object)
    assert made["kind"] == kind
    assert made["metadata"]["name"] == f"gatekeeper--audit--7f9c-{name}"
    want = {**labels, "pod": HERE.id}
    assert made["metadata"]["labels"] == {
        f"internal.gatekeeper.sh/{key}": value for key, value in want.items()
    }


@pytest.mark.parametrize(
    ("object", "others", "error"),
    [
        (
            constraint(enforcementAction="block"),
            (template(),),
            {"code": "POL022", "location": "spec.enforcementAction"},
        ),
        (constraint(), (), {"code": "POL020", "location": "kind"}),
        (constraint(kind="Broken"), (BROKEN,), {"code": "POL026", "location": "kind"}),
        (BROKEN, (), {"code": "ingest_error"}),
        (template(operations=["*", "CREATE"]), (), {"code": "create_error"}),
        (mutator("a", "spec.x.y"), (mutator("b", "spec.x[k: v].y"),), {"type": "ErrConflictingSchema"}),
        (mutator("a", "spec..x"), (), {}),
        (EXPANSION, (), {}),
        (MALFORMED, (), {}),
        (
            PROVIDER,
            (),
            {"type": "UpsertCache", "retryable": True, "errorTimestamp": "2026-01-02T03:04:05Z"},
        ),
    ],
)
def test_errors(object: Object, others: tuple[Object, ...], error: dict[str, Any]) -> None:
    status = written(object, *others)["status"]
    assert status["errors"]
    for key, value in error.items():
        assert status["errors"][0][key] == value
    assert all(row["message"] for row in status["errors"])
    assert not {"enforced", "active"} & status.keys()


def test_rego_that_cannot_be_used_is_told_with_its_place() -> None:
    (error, *_) = written(BROKEN)["status"]["errors"]
    assert error["message"].startswith("Could not ingest Rego: rego_parse_error: ")
    assert error["location"] == "ConstraintTemplate broken spec.targets[0].code[0].source.rego:4:1"


def test_a_provider_that_is_read() -> None:
    made = pod_status(PROVIDER, (), HERE, now=NOW)["status"]
    assert (made["active"], made["lastCacheUpdateTime"]) == (True, "2026-01-02T03:04:05Z")


def test_what_is_generated() -> None:
    waiting = Generated(state=State.WAITING, message="30 s")
    made = written(stored(template()), generated=Generated(state=State.GENERATED))["status"]
    assert made["vapGenerationStatus"] == {"state": "generated", "observedGeneration": 3}
    made = written(stored(template()), generated=Generated(state=State.ERROR, message="no"))["status"]
    assert made["vapGenerationStatus"]["warning"] == "no"
    made = written(stored(constraint()), template(), generated=waiting)["status"]
    assert made["enforcementPointsStatus"] == [
        {"enforcementPoint": "vap.k8s.io", "state": "waiting", "observedGeneration": 3, "message": "30 s"}
    ]


def test_who_has_a_status() -> None:
    assert all(map(has_status, (template(), constraint(), mutator("a", "spec.x"), config(), PROVIDER)))
    assert not any(map(has_status, (pod(), sync_set())))


# --- put together -----------------------------------------------------------------------------------------


def test_pods_are_put_together_in_order() -> None:
    object = stored(template())
    rows = [pod_status(object, (), Pod(id=name)) for name in ("b", "a")]
    status = aggregated(object, rows)
    assert [row["id"] for row in status["byPod"]] == ["a", "b"]
    assert status["created"] is True


def test_a_template_is_created_if_one_pod_can_use_it() -> None:
    faults = Engine.build([BROKEN]).faults[BROKEN.ref()]
    bad, good = pod_status(BROKEN, faults, Pod(id="a")), pod_status(BROKEN, (), Pod(id="b"))
    assert aggregated(BROKEN, [bad, good])["created"] is True
    assert aggregated(BROKEN, [bad])["created"] is False
    assert aggregated(BROKEN, [])["created"] is False


def test_what_is_about_another_object_of_the_name_is_left_out() -> None:
    old = pod_status(stored(constraint(), uid="before"), (), HERE)
    new = pod_status(stored(constraint()), (), Pod(id="b"))
    status = aggregated(stored(constraint()), [old, new])
    assert [row["id"] for row in status["byPod"]] == ["b"]
    assert "created" not in status


def test_what_the_audit_wrote_stays() -> None:
    object = Object({**constraint().raw, "status": {"totalViolations": 4, "byPod": [1]}})
    assert aggregated(object, []) == {"totalViolations": 4, "byPod": []}


@pytest.mark.parametrize(
    ("object", "shape"),
    [
        (template(), shapes.template()),
        (BROKEN, shapes.template()),
        (mutator("a", "spec..x"), shapes.mutator("Assign")),
        (EXPANSION, shapes.expansion()),
        (PROVIDER, shapes.provider()),
        (config(), shapes.config("Config")),
    ],
)
def test_the_status_fits_its_policy(object: Object, shape: Schema) -> None:
    status = aggregated(object, [written(object)])
    raw = {**object.raw, "status": status}
    assert not list(validate(raw, shape, shapes.locate(Object(raw))))


# --- audits -----------------------------------------------------------------------------------------------


def audit(made: Engine, *objects: Object, **options: Any) -> dict[str, dict[str, Any]]:
    pairs = [
        (object, finding)
        for object in objects
        for finding in made.review(Request.of(object), Ask(point=AUDIT))
    ]
    return audited(made, pairs, NOW, **options)


def test_the_first_violations_and_the_whole_count() -> None:
    made = engine(template(), constraint(), constraint("idle", match={"namespaces": ["none"]}))
    names = [f"p{number:02}" for number in range(30)]
    found = audit(made, *(pod(name) for name in reversed(names)))
    status = found["K8sThing/thing"]
    assert (status["auditTimestamp"], status["totalViolations"]) == ("2026-01-02T03:04:05Z", 30)
    assert [row["name"] for row in status["violations"]] == names[:20]
    assert status["violations"][0] == {
        "group": "",
        "version": "v1",
        "kind": "Pod",
        "name": "p00",
        "namespace": "shop",
        "message": "no hostPID",
        "enforcementAction": "deny",
    }
    assert found["K8sThing/idle"] == {"auditTimestamp": "2026-01-02T03:04:05Z", "totalViolations": 0}
    assert len(audit(made, *(pod(name) for name in names), limit=5)["K8sThing/thing"]["violations"]) == 5
    assert "violations" not in audit(made, pod(), limit=0)["K8sThing/thing"]


def test_actions_of_the_audit() -> None:
    rows = [
        {"action": "warn", "enforcementPoints": [{"name": AUDIT}]},
        {"action": "deny", "enforcementPoints": [{"name": "*"}]},
    ]
    made = engine(template(), constraint(enforcementAction="scoped", scopedEnforcementActions=rows))
    (row,) = audit(made, pod())["K8sThing/thing"]["violations"]
    assert (row["enforcementAction"], row["enforcementActions"]) == ("scoped", ["warn", "deny"])


@pytest.mark.parametrize(
    ("message", "size"), [("x" * 256, 256), ("x" * 257, 256), ("é" * 200, 255), ("x" + "é" * 200, 256)]
)
def test_long_messages_are_cut(message: str, size: int) -> None:
    made = engine(template(f'violation contains {{"msg": "{message}"}}'), constraint())
    (row,) = audit(made, pod())["K8sThing/thing"]["violations"]
    assert len(row["message"].encode()) == size <= MESSAGE.value
    assert row["message"] == message if len(message.encode()) <= 256 else row["message"].endswith("...")


def test_faults_are_about_their_own_object() -> None:
    made = Engine.build([BROKEN, constraint(enforcementAction="block"), template(), mutator("a", "spec..x")])
    assert {(ref.kind, ref.name) for ref in made.faults} == {
        ("ConstraintTemplate", "broken"),
        ("K8sThing", "thing"),
        ("Assign", "a"),
    }
    for row in made.problems:
        assert row.code.id.startswith(("POL", "REG"))
        assert not isinstance(row.at, ObjectPath) or row.at.ref in made.faults
