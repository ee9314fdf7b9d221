"""Kubernetes' own kinds: what is found wrong with an object, where, and in which words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sekisho.diag import DiagnosticError, Level
from sekisho.kube.object import Object
from sekisho.kube.schema import NEWEST, VERSIONS, builtin, validate_object
from sekisho.kube.schema.store import store

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}, "creationTimestamp": None},
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": "nginx:1.27",
                "ports": [{"containerPort": 80}],
                "env": [{"name": "A", "value": "b"}],
                "resources": {"limits": {"cpu": "100m", "memory": 1024}},
                "livenessProbe": {"httpGet": {"path": "/", "port": "http"}},
            }
        ],
        "volumes": [{"name": "data", "emptyDir": {}}],
    },
    "status": {},
}


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The Pod with another value at a path; ``...`` removes it."""
    pod = copy.deepcopy(POD)
    at: Any = pod
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return pod


CONTAINER = ("spec", "containers", 0)

PROBLEMS = [
    (
        ("spec", "replica"),
        1,
        "KUB100",
        'unknown field "spec.replica"',
        ("spec", "replica"),
    ),
    (("spec", "a"), None, "KUB100", 'unknown field "spec.a"', ("spec", "a")),
    (
        (*CONTAINER, "imagePullpolicy"),
        "Always",
        "KUB100",
        'unknown field "spec.containers[0].imagePullpolicy"',
        (*CONTAINER, "imagePullpolicy"),
    ),
    (
        (*CONTAINER, "ports", 0, "containerPort"),
        "80",
        "KUB101",
        (
            'spec.containers[0].ports[0].containerPort: Invalid value: "string": '
            'spec.containers[0].ports[0].containerPort in body must be of type integer: "string"'
        ),
        (*CONTAINER, "ports", 0, "containerPort"),
    ),
    (
        ("metadata", "labels", "n"),
        1,
        "KUB101",
        'metadata.labels.n: Invalid value: "integer": metadata.labels.n in body must be of type string: "integer"',
        ("metadata", "labels", "n"),
    ),
    (
        (*CONTAINER, "args"),
        "run",
        "KUB101",
        (
            'spec.containers[0].args: Invalid value: "string": '
            'spec.containers[0].args in body must be of type array: "string"'
        ),
        (*CONTAINER, "args"),
    ),
    (
        (*CONTAINER, "tty"),
        "yes",
        "KUB101",
        'spec.containers[0].tty: Invalid value: "string": spec.containers[0].tty in body must be of type boolean: "string"',
        (*CONTAINER, "tty"),
    ),
    (
        (*CONTAINER, "name"),
        ...,
        "KUB102",
        "spec.containers[0].name: Required value",
        (*CONTAINER, "name"),
    ),
    (("spec", "containers"), None, "KUB102", "spec.containers: Required value", ("spec", "containers")),
    (
        ("spec", "restartPolicy"),
        "always",
        "KUB103",
        'spec.restartPolicy: Unsupported value: "always": supported values: "Always", "Never", "OnFailure"',
        ("spec", "restartPolicy"),
    ),
    (
        (*CONTAINER, "resources", "limits", "cpu"),
        "100MB",
        "KUB104",
        (
            'spec.containers[0].resources.limits.cpu: Invalid value: "100MB": quantities must match the regular expression '
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ),
        (*CONTAINER, "resources", "limits", "cpu"),
    ),
    (
        ("metadata", "creationTimestamp"),
        "yesterday",
        "KUB104",
        (
            'metadata.creationTimestamp: Invalid value: "yesterday": '
            'metadata.creationTimestamp in body must be of type date-time: "yesterday"'
        ),
        ("metadata", "creationTimestamp"),
    ),
    (
        ("spec", "priority"),
        3_000_000_000,
        "KUB105",
        "spec.priority: Invalid value: 3000000000: spec.priority in body must be of type int32: the value is out of range",
        ("spec", "priority"),
    ),
    (
        (*CONTAINER, "livenessProbe", "httpGet", "port"),
        True,
        "KUB101",
        (
            'spec.containers[0].livenessProbe.httpGet.port: Invalid value: "boolean": '
            'spec.containers[0].livenessProbe.httpGet.port in body must be of type integer,string: "boolean"'
        ),
        (*CONTAINER, "livenessProbe", "httpGet", "port"),
    ),
]


@pytest.mark.parametrize(("path", "value", "code", "message", "at"), PROBLEMS)
def test_a_problem_has_its_code_its_words_and_its_path(path, value, code, message, at) -> None:
    (found,) = validate_object(Object(changed(path, value)))
    assert (found.code.id, found.message) == (code, message)
    assert found.at is not None
    assert found.at.path == at
    assert found.at.key is (code == "KUB100")


FINE = [
    ("an integer as a whole float", ("spec", "priority"), 3.0),
    ("null where a field may be absent", ("spec", "volumes"), None),
    ("an empty string for an enumeration", ("spec", "restartPolicy"), ""),
    ("a port by number", (*CONTAINER, "livenessProbe", "httpGet", "port"), 80),
    ("a quantity as a float", (*CONTAINER, "resources", "limits", "cpu"), 0.5),
    ("a quantity with a blank", (*CONTAINER, "resources", "limits", "cpu"), "1 "),
    ("a status that is not complete", ("status", "containerStatuses"), [{"name": "web"}]),
    ("a null label", ("metadata", "labels", "app"), None),
]


@pytest.mark.parametrize(("why", "path", "value"), FINE, ids=[row[0] for row in FINE])
def test_what_the_server_takes_is_taken(why, path, value) -> None:
    assert validate_object(Object(changed(path, value))) == ()


def test_an_unknown_field_offers_the_name_that_was_meant() -> None:
    (found,) = validate_object(Object(changed((*CONTAINER, "imagepullpolicy"), "Always")))
    assert found.help == 'did you mean "imagePullPolicy"?'


PLACES = [
    ((*CONTAINER, "hostNetwork"), True, "it is a field of spec: indent it less"),
    (("spec", "labels"), {}, ""),
    (("metadata", "spec"), {}, "it is a field of the object itself: indent it less"),
    (("spec", "runAsUser"), 1, "it is a field of securityContext inside"),
    ((*CONTAINER, "mountPath"), "/", ""),
    ((*CONTAINER, "runAsNonRoot"), True, "it is a field of securityContext inside"),
    (("spec", "restartPolicies"), "Always", 'did you mean "restartPolicy"?'),
    (("spec", "xyz"), 1, ""),
]


@pytest.mark.parametrize(("path", "value", "help"), PLACES)
def test_a_field_in_the_wrong_place_says_where_it_belongs(path, value, help) -> None:
    (found,) = validate_object(Object(changed(path, value)))
    assert found.help == help


def test_a_deployment_without_a_template_says_where_containers_belong() -> None:
    raw = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"containers": []}}
    found = [d for d in validate_object(Object(raw)) if d.code.id == "KUB100"]
    assert [d.help for d in found] == ["it is a field of template.spec inside"]


def test_a_number_for_a_string_says_how_to_write_it() -> None:
    (found,) = validate_object(Object(changed((*CONTAINER, "env", 0, "value"), 3)))
    assert "quote" in found.help


def test_a_secrets_data_is_never_shown() -> None:
    raw = {"apiVersion": "v1", "kind": "Secret", "data": {"token": "hunter2!"}, "stringData": {"a": 12345}}
    found = validate_object(Object(raw))
    assert [d.code.id for d in found] == ["KUB104", "KUB101"]
    assert not any("hunter2" in repr(d) or "12345" in repr(d) for d in found)


def test_bytes_are_read_as_go_reads_them() -> None:
    raw = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "", "b": "aGVs\nbG8h\n", "c": "aGk="}}
    assert validate_object(Object(raw)) == ()


QUANTITIES = ["1.", ".5", ".", "k", " 1 ", "1e99", "1E", "-1", "+1", "1e-99", "-", "1Ei"]
"""What kube-apiserver's decoder takes, odd as it is."""
NO_QUANTITIES = [
    ("", "quantities must match"),
    ("100MB", "quantities must match"),
    ("1e", "unable to parse quantity's suffix"),
    ("1Ki5", "unable to parse quantity's suffix"),
    ("1e1.5", "quantities must match"),
    ("1" * 1000, "limited"),
]


@pytest.mark.parametrize("text", QUANTITIES)
def test_odd_quantities_pass(text) -> None:
    assert validate_object(Object(changed((*CONTAINER, "resources", "limits", "cpu"), text))) == ()


@pytest.mark.parametrize(("text", "message"), NO_QUANTITIES)
def test_what_is_no_quantity_is_told_why(text, message) -> None:
    (found,) = validate_object(Object(changed((*CONTAINER, "resources", "limits", "cpu"), text)))
    assert message in found.message


def test_every_problem_of_an_object_is_found() -> None:
    pod = changed(("spec", "a"), 1)
    pod["spec"]["b"] = 2
    pod["metadata"]["labels"]["c"] = 3
    assert len(validate_object(Object(pod))) == 3


SERVING = [
    ("1.30", "extensions/v1beta1", "Ingress", "it was removed in 1.22", "use networking.k8s.io/v1"),
    ("1.30", "policy/v1beta1", "PodSecurityPolicy", "it was removed in 1.25", ""),
    (
        "1.30",
        "autoscaling/v2beta2",
        "HorizontalPodAutoscaler",
        "it was removed in 1.26",
        "use autoscaling/v2",
    ),
    ("1.25", "autoscaling/v2beta2", "HorizontalPodAutoscaler", None, ""),
    ("1.30", "resource.k8s.io/v1", "ResourceClaim", "it is new in 1.34", "use resource.k8s.io/v1alpha2"),
    ("1.37", "resource.k8s.io/v1", "ResourceClaim", None, ""),
    ("1.30", "apps/v2", "Deployment", "does not serve Deployment in apps/v2", "use apps/v1"),
    ("1.30", "v1", "Deployment", 'no matches for kind "Deployment" in version "v1"', "use apps/v1"),
    ("1.30", "apps/v1", "Deploymnt", 'no matches for kind "Deploymnt"', 'did you mean "Deployment"?'),
]


@pytest.mark.parametrize(("kubernetes", "api_version", "kind", "message", "help"), SERVING)
def test_a_version_that_is_not_served_names_what_to_use(kubernetes, api_version, kind, message, help) -> None:
    object = Object({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}})
    found = [d for d in validate_object(object, kubernetes_version=kubernetes) if d.code.id == "KUB110"]
    if message is None:
        assert found == []
    else:
        assert message in found[0].message
        assert found[0].help.startswith(help)
        assert found[0].level is Level.ERROR


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [("example.com/v1", "Database"), ("v1", "List"), ("metrics.k8s.io/v1beta1", "PodMetrics")],
)
def test_an_unknown_kind_is_only_a_note(api_version, kind) -> None:
    (found,) = validate_object(Object({"apiVersion": api_version, "kind": kind, "anything": 1}))
    assert (found.code.id, found.level) == ("KUB111", Level.NOTE)


def test_versions_are_those_of_the_data_file() -> None:
    assert store().versions == VERSIONS
    assert VERSIONS[-1] == NEWEST


@pytest.mark.parametrize("text", ["1.33", "v1.33", "1.33.4", "v1.33.2-gke.100", " 1.33 "])
def test_a_patch_version_means_its_minor(text) -> None:
    assert builtin(text) is builtin("1.33")


@pytest.mark.parametrize("text", ["1.20", "2.0", "1.33x", "", "latest"])
def test_an_unknown_version_is_a_diagnostic(text) -> None:
    with pytest.raises(DiagnosticError) as error:
        builtin(text)
    assert error.value.diagnostics[0].code.id == "KUB112"


def test_every_definition_of_every_version_can_be_read() -> None:
    for version in VERSIONS:
        known = builtin(version)
        minor = int(version.partition(".")[2])
        for (group, its_version, kind), minors in store().kinds().items():
            if minor in minors:
                found = known.lookup(group, its_version, kind)
                assert found is not None
                assert found.schema.properties


def test_references_lead_to_known_definitions() -> None:
    for name in ("core.v1.Pod", "apps.v1.Deployment", "batch.v1.CronJob"):
        seen: set[int] = set()
        todo = [builtin("1.37").definition(f"io.k8s.api.{name}")]
        while todo:
            node = todo.pop().resolved()
            if id(node) in seen:
                continue
            seen.add(id(node))
            assert node.type or node.kept or node.int_or_string or node.format == "quantity"
            todo += [*node.properties.values(), *filter(None, (node.items, node.additional))]


def test_merge_facts_are_there_for_server_side_apply() -> None:
    spec = builtin("1.33").definition("io.k8s.api.core.v1.PodSpec")
    merging = spec.properties["containers"].merging
    assert (merging.list_type, merging.list_keys) == ("map", ("name",))
    assert (merging.patch_strategy, merging.patch_key) == ("merge", "name")


def test_resources_have_their_plural_scope_and_subresources() -> None:
    pod = builtin("1.33").lookup("", "v1", "Pod")
    node = builtin("1.33").lookup("", "v1", "Node")
    assert pod is not None
    assert node is not None
    assert (pod.plural, pod.namespaced, "resize" in pod.subresources) == ("pods", True, True)
    assert (node.plural, node.namespaced) == ("nodes", False)


def test_protobuf_field_numbers_are_there() -> None:
    fields = store().field_numbers("k8s.io.api.core.v1.ContainerPort")
    assert fields["containerPort"] == (3, "int32")
    assert store().field_numbers("k8s.io.api.core.v1.PodSpec")["containers"][1].endswith("*")


def test_a_value_nested_without_end_is_a_diagnostic() -> None:
    inner: dict[str, Any] = {}
    schema = inner
    for _ in range(3_000):
        inner["not"] = {}
        inner = inner["not"]
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "A", "plural": "as"}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "x"},
        "spec": {"group": "a.b", "names": names, "scope": "Cluster", "versions": [version]},
    }
    (found,) = validate_object(Object(crd))
    assert found.code.id == "KUB108"
