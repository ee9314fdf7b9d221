"""Autoscalers and Events from version to version, and back without a loss."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.kube.conversions import converted
from sekisho.kube.conversions.autoscalers import BEHAVIOUR, CONDITIONS, MEASURED, METRICS


def autoscaler(*metrics: dict[str, Any], **more: Any) -> dict[str, Any]:
    spec = {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d"}, "metrics": list(metrics)}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a"},
        "spec": {**spec, **more},
    }


def resource(name: str, **target: Any) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


CPU = resource("cpu", type="Utilization", averageUtilization=70)
MEMORY = resource("memory", type="AverageValue", averageValue="1Gi")
PODS = {
    "type": "Pods",
    "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "5"}},
}
OBJECT = {
    "type": "Object",
    "object": {
        "metric": {"name": "q", "selector": {"matchLabels": {"a": "b"}}},
        "describedObject": {"kind": "Service", "name": "s", "apiVersion": "v1"},
        "target": {"type": "Value", "value": "10"},
    },
}
EXTERNAL = {
    "type": "External",
    "external": {"metric": {"name": "e"}, "target": {"type": "AverageValue", "averageValue": "7"}},
}
CONTAINER = {
    "type": "ContainerResource",
    "containerResource": {
        "name": "cpu",
        "container": "c",
        "target": {"type": "Utilization", "averageUtilization": 5},
    },
}
RULES = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}],
    }
}
STATUS = {
    "currentReplicas": 1,
    "desiredReplicas": 2,
    "currentMetrics": [
        {
            "type": "Resource",
            "resource": {"name": "cpu", "current": {"averageValue": "1", "averageUtilization": 9}},
        }
    ],
    "conditions": [{"type": "AbleToScale", "status": "True", "lastTransitionTime": None, "reason": "R"}],
}


@pytest.mark.parametrize(
    "value",
    [
        autoscaler(CPU),
        autoscaler(MEMORY, CPU),
        autoscaler(MEMORY, PODS, OBJECT, EXTERNAL, CONTAINER, CPU),
        autoscaler(MEMORY, behavior=RULES),
        {**autoscaler(CPU), "status": STATUS},
        {**autoscaler(CPU), "metadata": {"name": "a", "annotations": {"own": "<&>"}}},
    ],
)
def test_an_autoscaler_comes_back(value: dict[str, Any]) -> None:
    old = converted(value, "autoscaling/v1")
    assert old is not None
    assert "metrics" not in old["spec"]
    assert converted(old, "autoscaling/v2") == value


def test_what_v1_has_no_field_for_stands_in_annotations() -> None:
    old = converted({**autoscaler(MEMORY, CPU, behavior=RULES), "status": STATUS}, "autoscaling/v1")
    assert old is not None
    assert old["spec"]["targetCPUUtilizationPercentage"] == 70
    assert old["status"] == {"currentReplicas": 1, "desiredReplicas": 2, "currentCPUUtilizationPercentage": 9}
    assert old["metadata"]["annotations"] == {
        METRICS: '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]',
        MEASURED: (
            '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":9,'
            '"currentAverageValue":"1"}}]'
        ),
        CONDITIONS: '[{"type":"AbleToScale","status":"True","lastTransitionTime":null,"reason":"R"}]',
        BEHAVIOUR: (
            '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods",'
            '"Value":4,"PeriodSeconds":15}],"Tolerance":null},"ScaleDown":null}'
        ),
    }


@pytest.mark.parametrize("text", ["nonsense", "{}", "[1]", "null", "[" * 5000, '[{"type": 5}]'])
def test_annotations_that_are_none_are_dropped(text: str) -> None:
    raw = autoscaler()
    del raw["spec"]["metrics"]
    raw |= {"apiVersion": "autoscaling/v1", "metadata": {"name": "a", "annotations": {METRICS: text}}}
    new = converted(raw, "autoscaling/v2")
    assert new is not None
    assert new["metadata"] == {"name": "a"}
    assert isinstance(new["spec"]["metrics"], list)


def test_an_event_comes_back() -> None:
    core = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "count": 2,
        "message": "m",
        "involvedObject": {"kind": "Pod"},
        "source": {"component": "c"},
        "eventTime": None,
        "reportingComponent": "",
        "reportingInstance": "",
    }
    new = converted(core, "events.k8s.io/v1")
    assert new is not None
    assert (new["note"], new["regarding"], new["deprecatedCount"]) == ("m", {"kind": "Pod"}, 2)
    assert "reportingController" not in new
    assert converted(new, "v1") == core


def test_there_is_no_way_between_other_versions() -> None:
    assert converted({"apiVersion": "v1", "kind": "Pod"}, "v2") is None
    assert converted(autoscaler(), "autoscaling/v9") is None
