"""The environment of containers: references, expansion, and what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.node.environment import Facts, expanded, field_of, resolved, resource_of
from sekisho.node.problems import ConfigProblem

OBJECTS = {
    ("configmaps", "cm"): {"kind": "ConfigMap", "data": {"a": "1", "b": "2"}, "binaryData": {"c": "Mw=="}},
    ("secrets", "s"): {"kind": "Secret", "data": {"token": "YWJj"}},
}
POD: dict[str, Any] = {
    "metadata": {
        "name": "p",
        "namespace": "shop",
        "uid": "u",
        "labels": {"app": "web", "tier": 'a"b'},
        "annotations": {"note": "x"},
    },
    "spec": {"nodeName": "n", "serviceAccountName": "robot", "containers": []},
}
FACTS = Facts(
    pod=POD,
    address="10.244.0.2",
    host_address="127.0.0.1",
    find=lambda plural, name: OBJECTS.get((plural, name)),
    processors=4,
    memory=1024**3,
)


def of(*entries: Any, sources: Any = ()) -> dict[str, str]:
    return resolved({"name": "c", "env": list(entries), "envFrom": list(sources)}, FACTS)


def ref(name: str, **reference: Any) -> dict[str, Any]:
    return {"name": name, "valueFrom": reference}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("$(A)-$(B)", "1-$(B)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(A", "$(A"),
        ("$A $() $(1)", "$A $() $(1)"),
    ],
)
def test_references_to_variables(text: str, wanted: str) -> None:
    assert expanded(text, {"A": "1"}) == wanted


def test_values_see_those_before_them() -> None:
    assert of(
        {"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$(C)"}, {"name": "C", "value": "3"}
    ) == {
        "A": "1",
        "B": "1$(C)",
        "C": "3",
    }


def test_all_of_an_object_comes_before_single_variables() -> None:
    found = of(
        {"name": "X_a", "value": "own"},
        sources=[{"prefix": "X_", "configMapRef": {"name": "cm"}}, {"secretRef": {"name": "s"}}],
    )
    assert found == {"X_a": "own", "X_b": "2", "X_c": "3", "token": "abc"}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "shop"),
        ("metadata.labels['app']", "web"),
        ("metadata.annotations['absent']", ""),
        ("metadata.labels", 'app="web"\ntier="a\\"b"'),
        ("spec.nodeName", "n"),
        ("spec.serviceAccountName", "robot"),
        ("status.podIP", "10.244.0.2"),
        ("status.hostIP", "127.0.0.1"),
    ],
)
def test_fields_of_the_pod(path: str, wanted: str) -> None:
    assert field_of(path, FACTS) == wanted


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ({"resource": "limits.cpu"}, "1"),
        ({"resource": "limits.cpu", "divisor": "1m"}, "500"),
        ({"resource": "limits.memory", "divisor": "1Mi"}, "1024"),
        ({"resource": "requests.memory"}, "0"),
    ],
)
def test_amounts_of_the_container(selector: dict[str, str], wanted: str) -> None:
    assert resource_of(selector, {"resources": {"limits": {"cpu": "500m"}}}, FACTS) == wanted


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (ref("A", configMapKeyRef={"name": "absent", "key": "a"}), 'configmap "absent" not found'),
        (ref("A", secretKeyRef={"name": "absent", "key": "a"}), 'secret "absent" not found'),
        (
            ref("A", configMapKeyRef={"name": "cm", "key": "z"}),
            "couldn't find key z in ConfigMap shop/cm",
        ),
        (ref("A", fieldRef={"fieldPath": "spec.hostNetwork"}), "unsupported fieldPath: spec.hostNetwork"),
    ],
)
def test_what_is_missing_is_told(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigProblem) as caught:
        of(entry)
    assert (caught.value.reason, caught.value.message) == ("CreateContainerConfigError", message)


def test_what_is_optional_may_be_missing() -> None:
    assert (
        of(
            ref("A", configMapKeyRef={"name": "absent", "key": "a", "optional": True}),
            ref("B", secretKeyRef={"name": "s", "key": "absent", "optional": True}),
            sources=[{"configMapRef": {"name": "absent", "optional": True}}],
        )
        == {}
    )
