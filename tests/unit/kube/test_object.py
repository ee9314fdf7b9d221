from __future__ import annotations

import pytest

from sekisho.diag import DiagnosticError
from sekisho.kube.gvk import BUILT_IN, GVK, GVR, guess_plural, parse_api_version
from sekisho.kube.object import Object, load, name_problems, shape_problems

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "u1",
        "resourceVersion": "7",
        "labels": {"app": "web"},
        "annotations": {"note": "x"},
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1"},
            {"apiVersion": "x/v1", "kind": "App", "name": "b", "uid": "2", "controller": True},
            "broken",
        ],
    },
}


def test_a_view_reads_what_is_there() -> None:
    object = Object(DEPLOYMENT)
    assert object.gvk == GVK("apps", "v1", "Deployment")
    assert (object.api_version, object.kind) == ("apps/v1", "Deployment")
    assert (object.namespace, object.name, object.uid) == ("shop", "web", "u1")
    assert object.resource_version == "7"
    assert object.labels == {"app": "web"}
    assert object.annotations == {"note": "x"}
    assert len(object.owner_references) == 2
    assert object.controller is not None
    assert object.controller.gvk == GVK("x", "v1", "App")
    assert str(object.ref()) == "Deployment shop/web"
    assert "Deployment shop/web" in repr(object)
    assert not object.is_namespace


def test_the_raw_mapping_is_shared_not_copied() -> None:
    object = Object(DEPLOYMENT)
    assert object.raw is DEPLOYMENT
    assert object.replaced({"kind": "X"}).origin is object.origin


@pytest.mark.parametrize(
    "raw", [{}, {"metadata": None}, {"metadata": 3, "kind": 4}, {"metadata": {"labels": []}}]
)
def test_a_view_of_something_malformed_reads_as_empty(raw: dict[str, object]) -> None:
    object = Object(raw)
    assert object.name == object.namespace == object.kind == object.uid == object.generate_name == ""
    assert dict(object.labels) == {}
    assert object.owner_references == ()
    assert object.controller is None


def test_get_walks_mappings_and_lists() -> None:
    object = Object({"spec": {"rows": [{"a": 1}]}})
    assert object.get("spec", "rows", 0, "a") == 1
    assert object.get("spec", "rows", 1, "a") is None
    assert object.get("spec", "rows", "a") is None
    assert object.get("spec", 0) is None


def test_an_object_without_a_name_goes_by_generate_name() -> None:
    assert Object({"kind": "Pod", "metadata": {"generateName": "web-"}}).ref().name == "web-"


def test_at_points_into_the_object() -> None:
    at = Object(DEPLOYMENT).at("metadata", "labels", key=True)
    assert at.path == ("metadata", "labels")
    assert at.key
    assert at.span() is None


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ([], ["KUB001 a Kubernetes object is a mapping, this is of type array"]),
        (None, ["KUB001 a Kubernetes object is a mapping, this is of type null"]),
        ("x", ["KUB001 a Kubernetes object is a mapping, this is of type string"]),
        (1.5, ["KUB001 a Kubernetes object is a mapping, this is of type number"]),
        ({}, ["KUB001 this is no Kubernetes object: it has neither apiVersion nor kind"]),
        ({"apiVersion": "v1", "kind": ""}, ["KUB002 kind not set"]),
        (
            {"apiVersion": 1, "kind": "Pod"},
            [
                'KUB002 apiVersion: Invalid value: "integer": apiVersion in body must be of type string: "integer"'
            ],
        ),
        ({"apiVersion": "a/b/c", "kind": "Pod"}, ["KUB002 unexpected GroupVersion string: a/b/c"]),
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": []},
            ['KUB003 metadata: Invalid value: "array": metadata in body must be of type object: "array"'],
        ),
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 1, "labels": {"a": True, "b": "c"}}},
            [
                'KUB003 metadata.name: Invalid value: "integer": metadata.name in body must be of type string: "integer"',
                'KUB003 metadata.labels.a: Invalid value: "boolean": metadata.labels.a in body must be of type string: "boolean"',
            ],
        ),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": None}}, []),
    ],
)
def test_the_shape_is_checked(raw: object, wanted: list[str]) -> None:
    found = shape_problems(raw)
    assert [f"{problem.code} {problem.message}" for problem in found] == wanted
    if wanted:
        with pytest.raises(DiagnosticError):
            load(raw)
    else:
        assert load(raw).kind == "Pod"


@pytest.mark.parametrize(
    ("kind", "metadata", "wanted"),
    [
        ("Pod", {"name": "web"}, ""),
        ("Pod", {"generateName": "web-"}, ""),
        ("Pod", {}, "metadata.name: Required value: name or generateName is required"),
        ("Pod", {"name": "Web"}, 'metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain'),
        ("Pod", {"generateName": "Web-"}, 'metadata.generateName: Invalid value: "Web-"'),
        ("Namespace", {"name": "a.b"}, 'metadata.name: Invalid value: "a.b": must not contain dots'),
    ],
)
def test_names_are_checked(kind: str, metadata: dict[str, str], wanted: str) -> None:
    found = name_problems(Object({"apiVersion": "v1", "kind": kind, "metadata": metadata}))
    assert bool(found) == bool(wanted)
    assert all(problem.message.startswith(wanted) for problem in found)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("v1", ("", "v1")), ("apps/v1", ("apps", "v1")), ("/v1", ("", "/v1")), ("a/b/c", ("", "a/b/c"))],
)
def test_api_versions(text: str, wanted: tuple[str, str]) -> None:
    assert parse_api_version(text) == wanted


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("Pod", "pods"),
        ("Ingress", "ingresses"),
        ("NetworkPolicy", "networkpolicies"),
        ("Endpoints", "endpoints"),
        ("Gateway", "gatewaies"),
    ],
)
def test_plurals_are_guessed_as_kubernetes_does(kind: str, wanted: str) -> None:
    assert guess_plural(kind) == wanted


def test_built_in_kinds() -> None:
    assert BUILT_IN.resource(GVK("apps", "v1", "Deployment")) == GVR("apps", "v1", "deployments")
    assert BUILT_IN.namespaced(GVK("", "v1", "Pod")) is True
    assert BUILT_IN.namespaced(GVK("", "v1", "Node")) is False
    assert BUILT_IN.namespaced(GVK("x.io", "v1", "Foo")) is None
    info = BUILT_IN.find_resource("autoscaling", "horizontalpodautoscalers")
    assert info is not None
    assert info.resource("v2") == GVR("autoscaling", "v2", "horizontalpodautoscalers")


def test_no_built_in_kind_is_listed_twice() -> None:
    rows = [(info.group, info.kind) for info in BUILT_IN.kinds()]
    assert len(rows) == len(set(rows)) > 70
    plurals = {(info.group, info.plural) for info in BUILT_IN.kinds()}
    assert len(plurals) == len(rows)


def test_the_plurals_of_built_in_kinds_are_regular() -> None:
    # Those of two retired kinds of dynamic resource allocation are plurals already.
    odd = {"ResourceClaimParameters", "ResourceClassParameters"}
    for info in BUILT_IN.kinds():
        plural = info.kind.lower() if info.kind in odd else guess_plural(info.kind)
        assert info.plural == plural, info


def test_custom_resource_definitions_extend_the_scheme() -> None:
    crd = {
        "spec": {
            "group": "x.io",
            "names": {"kind": "Foo", "plural": "foos"},
            "scope": "Namespaced",
            "versions": [{"name": "v1"}, {"name": "v1alpha1", "served": False}, "broken"],
        }
    }
    broken = [{}, {"spec": {}}, {"spec": {"names": {}}}]
    scheme = BUILT_IN.with_crds([crd, *broken, {"spec": {"names": {"kind": "Bar"}}}])
    info = scheme.find("x.io", "Foo")
    assert info is not None
    assert (info.plural, info.namespaced, info.versions) == ("foos", True, ("v1",))
    bar = scheme.find("", "Bar")
    assert bar is not None
    assert (bar.plural, bar.namespaced) == ("bars", False)
    assert BUILT_IN.find("x.io", "Foo") is None


def test_kinds_and_resources_print_as_kubernetes_does() -> None:
    assert str(GVK("apps", "v1", "Deployment")) == "apps/v1, Kind=Deployment"
    assert str(GVR("", "v1", "pods")) == "v1, Resource=pods"
    assert GVR("apps", "v1", "deployments").to_json() == {
        "group": "apps",
        "version": "v1",
        "resource": "deployments",
    }
