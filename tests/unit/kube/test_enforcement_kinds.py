"""Rollout, Waiver, BreakGlass and owners: what they are about, and that types and CRDs agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import sekisho.kube
from sekisho.diag import Code, Diagnostic, DiagnosticError
from sekisho.diag.code import Blame
from sekisho.kube.breakglass import BREAK_GLASS
from sekisho.kube.decode import Resource
from sekisho.kube.ladder import API_VERSION, WAIVERS, Rung
from sekisho.kube.match import EVERY_OBJECT, Kinds, Match, in_namespaces
from sekisho.kube.object import Object, OwnerReference
from sekisho.kube.owner import owner_of
from sekisho.kube.rollout import ROLLOUT
from sekisho.kube.selectors import label_selector
from sekisho.kube.subject import Subject
from sekisho.kube.waiver import WAIVER
from sekisho.kube.waivernote import GRANT

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CODE = Code(id="POL101", title="t", blame=Blame.INPUT, alias="the-alias")
CRDS = Path(sekisho.kube.__path__[0]) / "crds"


def cr(kind: str, **spec: Any) -> Object:
    version = WAIVERS if kind.startswith("Waiver") else API_VERSION
    return Object({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": spec})


def pod(**metadata: Any) -> Object:
    meta = {"name": "web", "namespace": "shop", **metadata}
    return Object({"apiVersion": "v1", "kind": "Pod", "metadata": meta})


def subject(object: Object | None = None, **fields: Any) -> Subject:
    return Subject(object=object or pod(), **{"namespace": "shop", **fields})


def finding(policy: str = "K8sLabels/owner") -> Diagnostic:
    return Diagnostic(code=CODE, message="m", policy=policy, at=pod().at("spec"))


WAIVER_SPEC = {
    "policies": ["K8sLabels/*"],
    "match": {"namespaces": ["shop"]},
    "reason": "legacy",
    "owner": "alice",
    "expires": "2026-07-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("kind", "file"),
    [(WAIVER, "waiver"), (ROLLOUT, "rollout"), (BREAK_GLASS, "breakglass"), (GRANT, "waivergrant")],
)
def test_types_and_custom_resource_definitions_agree(kind: Resource[Any], file: str) -> None:
    crd = yaml.safe_load((CRDS / f"{file}.yaml").read_text())
    spec = crd["spec"]
    (version,) = spec["versions"]
    assert f"{spec['group']}/{version['name']}" == kind.api_version
    assert spec["names"]["kind"] == kind.kind
    assert (spec["scope"] == "Namespaced") is kind.namespaced
    assert crd["metadata"]["name"] == f"{spec['names']['plural']}.{spec['group']}"
    schema = bare(version["schema"]["openAPIV3Schema"])
    for known in ("apiVersion", "kind", "metadata", "status"):
        del schema["properties"][known]
    assert schema == bare(kind.struct.schema())


def bare(schema: Any) -> Any:
    """A schema without the words for people and the rules that the types check in code."""
    if not isinstance(schema, dict):
        return schema
    out = {
        key: bare(value)
        for key, value in schema.items()
        if key not in ("description", "x-kubernetes-validations") or not isinstance(value, str | list)
    }
    if isinstance(out.get("properties"), dict):
        out["properties"] = {key: bare(value) for key, value in out["properties"].items()}
    if isinstance(out.get("required"), list):
        out["required"] = sorted(out["required"])
    return out


def test_a_rollout() -> None:
    rollout = ROLLOUT.decode(
        cr("Rollout", rung="warn", policies=["K8sLabels/*"], namespaces=["sh*"], since="2026-05-01T00:00:00Z")
    )
    assert rollout.rung is Rung.WARN
    assert rollout.in_force(NOW)
    assert not rollout.in_force(NOW - timedelta(days=60))
    assert rollout.concerns("K8sLabels/owner", "", subject())
    assert not rollout.concerns("Other/owner", "", subject())
    assert not rollout.concerns("K8sLabels/owner", "", subject(namespace="prod"))
    assert not rollout.concerns("K8sLabels/owner", "", subject(namespace=""))


def test_a_rollout_of_a_bundle_by_the_labels_of_namespaces() -> None:
    rollout = ROLLOUT.decode(
        cr("Rollout", rung="observe", bundles=["psp"], namespaceSelector={"matchLabels": {"env": "dev"}})
    )
    assert rollout.in_force(NOW)
    assert rollout.concerns("A/b", "psp", subject(namespace_labels={"env": "dev"}))
    assert not rollout.concerns("A/b", "psp", subject(namespace_labels={"env": "prod"}))
    assert not rollout.concerns("A/b", "psp", subject(namespace_labels=None))
    assert not rollout.concerns("A/b", "", subject(namespace_labels={"env": "dev"}))


def test_a_waiver() -> None:
    waiver = WAIVER.decode(cr("Waiver", **WAIVER_SPEC))
    assert waiver.concerns(finding(), subject())
    assert not waiver.concerns(finding("Other/owner"), subject())
    assert not waiver.concerns(finding(), subject(namespace="prod"))


def test_a_waiver_ends_at_its_moment() -> None:
    waiver = WAIVER.decode(cr("Waiver", **WAIVER_SPEC))
    assert waiver.in_force(waiver.expires - timedelta(microseconds=1))
    assert not waiver.in_force(waiver.expires)
    assert not waiver.in_force(waiver.expires + timedelta(days=1))


@pytest.mark.parametrize(
    ("change", "concerned"),
    [
        ({"codes": ["POL101"]}, True),
        ({"codes": ["the-alias"]}, True),
        ({"codes": ["POL102"]}, False),
        ({"fingerprints": [finding().fingerprint()]}, True),
        ({"fingerprints": [finding().fingerprint()], "match": None, "policies": None}, True),
        ({"fingerprints": ["0" * 32]}, False),
        ({"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}}, True),
        ({"match": {"kinds": [{"apiGroups": ["apps"]}, {"kinds": ["Job"]}]}}, False),
        ({"match": {"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}]}}, True),
        ({"match": {"names": ["we*"]}}, True),
        ({"match": {"names": ["db"]}}, False),
        ({"match": {"labelSelector": {"matchLabels": {"app": "web"}}}}, False),
        ({"match": {"owners": ["team-a"]}}, True),
        ({"match": {"owners": ["team-b"]}}, False),
        ({"match": {"namespaceSelector": {}}}, False),
    ],
)
def test_what_a_waiver_is_about(change: dict[str, Any], concerned: bool) -> None:
    waiver = WAIVER.decode(cr("Waiver", **{**WAIVER_SPEC, **change}))
    assert waiver.concerns(finding(), subject(owner="team-a")) is concerned


@pytest.mark.parametrize(
    ("kind", "spec", "wanted"),
    [
        (
            WAIVER,
            {**WAIVER_SPEC, "policies": []},
            "spec: Required value: policies, codes or fingerprints must be specified",
        ),
        (WAIVER, {**WAIVER_SPEC, "match": {}}, "spec.match: Required value: a waiver says which objects"),
        (WAIVER, {**WAIVER_SPEC, "expires": None}, "spec.expires: Required value"),
        (WAIVER, {**WAIVER_SPEC, "reason": ""}, "spec.reason: Invalid value"),
        (ROLLOUT, {"rung": "warn"}, "spec: Required value: policies or bundles must be specified"),
        (ROLLOUT, {"policies": ["a"]}, "spec.rung: Required value"),
        (BREAK_GLASS, {"reason": "r"}, "spec.expires: Required value"),
    ],
)
def test_what_is_refused(kind: Resource[Any], spec: dict[str, Any], wanted: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        kind.decode(cr(kind.kind, **spec))
    assert caught.value.diagnostics[0].message.startswith(wanted)


def test_a_break_glass() -> None:
    glass = BREAK_GLASS.decode(
        cr("BreakGlass", reason="fire", expires="2026-06-02T00:00:00Z", policies=["A/*"])
    )
    assert glass.in_force(NOW)
    assert not glass.in_force(glass.expires)
    assert glass.covers(subject())
    assert glass.covers_policy("A/b")
    assert not glass.covers_policy("B/b")


def test_a_break_glass_for_some_people() -> None:
    spec = {"reason": "fire", "expires": "2026-06-02T00:00:00Z"}
    glass = BREAK_GLASS.decode(cr("BreakGlass", **spec, users=["alice"], groups=["sre"]))
    assert glass.covers_policy("A/b")
    assert glass.covers(subject(username="alice"))
    assert glass.covers(subject(groups=("dev", "sre")))
    assert not glass.covers(subject(username="bob", groups=("dev",)))
    elsewhere = BREAK_GLASS.decode(cr("BreakGlass", **spec, match={"namespaces": ["prod"]}))
    assert not elsewhere.covers(subject())


def test_generated_names_match_by_prefix() -> None:
    match = Match(names=("web-*",))
    assert match.selects(subject(Object({"kind": "Pod", "metadata": {"generateName": "web-"}})))
    assert not Match(names=("web-1",)).selects(subject(Object({"metadata": {"generateName": "web-"}})))


def test_an_empty_match_selects_everything() -> None:
    assert EVERY_OBJECT.empty
    assert EVERY_OBJECT.selects(subject())
    assert not Match(kinds=(Kinds(),)).empty
    assert in_namespaces(subject(namespace=""), (), None)
    assert in_namespaces(subject(namespace_labels={}), (), label_selector({}))


TEAM = {"labels": {"sekisho.dev/owner": "team-a"}}
CONTROLLED = {
    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "controller": True}]
}


def namespace(**metadata: Any) -> Object:
    return Object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", **metadata}})


def test_the_owner_is_named_by_the_object_first() -> None:
    own = pod(labels={"sekisho.dev/owner": "team-b"}, **CONTROLLED)
    assert owner_of(own, namespace=namespace(**TEAM), lookup=lambda *_: pod(**TEAM)) == "team-b"


def test_then_by_its_controllers() -> None:
    asked: list[tuple[OwnerReference, str]] = []

    def lookup(reference: OwnerReference, where: str) -> Object | None:
        asked.append((reference, where))
        return pod(**CONTROLLED) if len(asked) == 1 else pod(**TEAM)

    assert owner_of(pod(**CONTROLLED), namespace=namespace(), lookup=lookup) == "team-a"
    assert [(reference.name, where) for reference, where in asked] == [("rs", "shop"), ("rs", "shop")]


def test_then_by_its_namespace() -> None:
    assert owner_of(pod(**CONTROLLED), namespace=namespace(**TEAM), lookup=lambda *_: None) == "team-a"
    assert owner_of(pod(**CONTROLLED), namespace=namespace(**TEAM)) == "team-a"
    assert owner_of(pod(labels={"sekisho.dev/owner": ""}), namespace=namespace(**TEAM)) == "team-a"


def test_else_by_nobody() -> None:
    assert owner_of(pod(), namespace=namespace()) == ""
    assert owner_of(pod()) == ""


def test_the_key_is_a_setting() -> None:
    assert owner_of(pod(labels={"team": "x"}), key="team") == "x"


def test_a_circle_of_controllers_ends() -> None:
    assert owner_of(pod(**CONTROLLED), lookup=lambda *_: pod(**CONTROLLED)) == ""
