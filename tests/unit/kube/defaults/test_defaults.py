"""What kube-apiserver fills in, kind by kind; the expected values are its own (checked against its code)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sekisho.kube.defaults import apply_defaults, defaulted, with_defaults, written
from sekisho.kube.defaults.kinds import SHAPES
from sekisho.kube.defaults.pods import pull_policy
from sekisho.kube.object import Object

TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "web:1"}]},
}


def made(api_version: str, kind: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **rest}


def at(raw: Any, path: str) -> Any:
    """The value at ``spec.ports.0.protocol``; ``...`` where there is none."""
    for step in path.split("."):
        try:
            raw = raw[int(step)] if isinstance(raw, list) else raw[step]
        except (KeyError, IndexError, TypeError):
            return ...
    return raw


def pod(**spec: Any) -> dict[str, Any]:
    return made("v1", "Pod", spec={"containers": [], **spec})


def container(**fields: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "c", "image": "web:1", **fields}])


def deployment(**spec: Any) -> dict[str, Any]:
    return made("apps/v1", "Deployment", spec={"template": TEMPLATE, **spec})


def service(**spec: Any) -> dict[str, Any]:
    return made("v1", "Service", spec={"ports": [{"port": 80}], **spec})


HTTP = {"httpGet": {"port": 80}}
C0 = "spec.containers.0"
T0 = "spec.template.spec"

ROWS: list[tuple[dict[str, Any], str, Any]] = [
    (pod(), "spec.dnsPolicy", "ClusterFirst"),
    (pod(dnsPolicy=""), "spec.dnsPolicy", "ClusterFirst"),
    (pod(dnsPolicy="None"), "spec.dnsPolicy", "None"),
    (pod(), "spec.restartPolicy", "Always"),
    (pod(), "spec.terminationGracePeriodSeconds", 30),
    (pod(terminationGracePeriodSeconds=0), "spec.terminationGracePeriodSeconds", 0),
    (pod(terminationGracePeriodSeconds=-1), "spec.terminationGracePeriodSeconds", 1),
    (pod(), "spec.schedulerName", "default-scheduler"),
    (pod(), "spec.securityContext", {}),
    (pod(), "spec.enableServiceLinks", True),
    (pod(enableServiceLinks=False), "spec.enableServiceLinks", False),
    (pod(serviceAccount="a"), "spec.serviceAccountName", "a"),
    (pod(serviceAccountName="a", serviceAccount="b"), "spec.serviceAccount", "a"),
    (pod(), "spec.serviceAccountName", ...),
    (container(), f"{C0}.imagePullPolicy", "IfNotPresent"),
    (container(image="web"), f"{C0}.imagePullPolicy", "Always"),
    (container(imagePullPolicy="Never"), f"{C0}.imagePullPolicy", "Never"),
    (container(), f"{C0}.terminationMessagePath", "/dev/termination-log"),
    (container(), f"{C0}.terminationMessagePolicy", "File"),
    (container(), f"{C0}.resources", {}),
    (container(ports=[{"containerPort": 80}]), f"{C0}.ports.0.protocol", "TCP"),
    (container(ports=[{"containerPort": 80, "protocol": "UDP"}]), f"{C0}.ports.0.protocol", "UDP"),
    (container(ports=[{"containerPort": 80}]), f"{C0}.ports.0.hostPort", ...),
    (
        pod(hostNetwork=True, containers=[{"name": "c", "ports": [{"containerPort": 80}]}]),
        f"{C0}.ports.0.hostPort",
        80,
    ),
    (container(livenessProbe=HTTP), f"{C0}.livenessProbe.timeoutSeconds", 1),
    (container(livenessProbe=HTTP), f"{C0}.livenessProbe.periodSeconds", 10),
    (container(readinessProbe=HTTP), f"{C0}.readinessProbe.successThreshold", 1),
    (container(startupProbe=HTTP), f"{C0}.startupProbe.failureThreshold", 3),
    (container(livenessProbe={**HTTP, "periodSeconds": 0}), f"{C0}.livenessProbe.periodSeconds", 10),
    (container(livenessProbe=HTTP), f"{C0}.livenessProbe.httpGet.scheme", "HTTP"),
    (container(livenessProbe=HTTP), f"{C0}.livenessProbe.httpGet.path", "/"),
    (container(livenessProbe={"grpc": {"port": 1}}), f"{C0}.livenessProbe.grpc.service", ""),
    (container(lifecycle={"preStop": HTTP}), f"{C0}.lifecycle.preStop.httpGet.scheme", "HTTP"),
    (
        container(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
        f"{C0}.env.0.valueFrom.fieldRef.apiVersion",
        "v1",
    ),
    (
        container(resources={"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}}),
        f"{C0}.resources.requests",
        {"cpu": "100m", "memory": "1Gi"},
    ),
    (container(resources={"requests": {"cpu": "1"}}), f"{C0}.resources.limits", ...),
    (pod(volumes=[{"name": "v"}]), "spec.volumes.0.emptyDir", {}),
    (pod(volumes=[{"name": "v", "emptyDir": None}]), "spec.volumes.0.emptyDir", {}),
    (pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "spec.volumes.0.hostPath.type", ""),
    (pod(volumes=[{"name": "v", "secret": {}}]), "spec.volumes.0.secret.defaultMode", 0o644),
    (pod(volumes=[{"name": "v", "configMap": {}}]), "spec.volumes.0.configMap.defaultMode", 0o644),
    (
        pod(volumes=[{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]),
        "spec.volumes.0.projected.sources.0.serviceAccountToken.expirationSeconds",
        3600,
    ),
    (
        pod(volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]),
        "spec.volumes.0.ephemeral.volumeClaimTemplate.spec.volumeMode",
        "Filesystem",
    ),
    (pod(volumes=[{"name": "v", "image": {"reference": "a"}}]), "spec.volumes.0.image.pullPolicy", "Always"),
    (deployment(), "spec.replicas", 1),
    (deployment(replicas=0), "spec.replicas", 0),
    (deployment(replicas=None), "spec.replicas", 1),
    (deployment(), "spec.revisionHistoryLimit", 10),
    (deployment(), "spec.progressDeadlineSeconds", 600),
    (deployment(), "spec.strategy.type", "RollingUpdate"),
    (deployment(), "spec.strategy.rollingUpdate", {"maxUnavailable": "25%", "maxSurge": "25%"}),
    (deployment(strategy={"type": "Recreate"}), "spec.strategy.rollingUpdate", ...),
    (
        deployment(strategy={"rollingUpdate": {"maxSurge": 1}}),
        "spec.strategy.rollingUpdate",
        {"maxUnavailable": "25%", "maxSurge": 1},
    ),
    (deployment(), f"{T0}.dnsPolicy", "ClusterFirst"),
    (deployment(), f"{T0}.containers.0.imagePullPolicy", "IfNotPresent"),
    (deployment(), f"{T0}.enableServiceLinks", ...),
    (
        made("apps/v1", "DaemonSet", spec={"template": TEMPLATE}),
        "spec.updateStrategy",
        {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
    ),
    (made("apps/v1", "StatefulSet", spec={"template": TEMPLATE}), "spec.podManagementPolicy", "OrderedReady"),
    (
        made("apps/v1", "StatefulSet", spec={"template": TEMPLATE}),
        "spec.updateStrategy",
        {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    ),
    (
        made("apps/v1", "StatefulSet", spec={"updateStrategy": {"type": "RollingUpdate"}}),
        "spec.updateStrategy",
        {"type": "RollingUpdate"},
    ),
    (
        made("apps/v1", "StatefulSet", spec={"volumeClaimTemplates": [{"spec": {}}]}),
        "spec.volumeClaimTemplates.0.spec.volumeMode",
        "Filesystem",
    ),
    (made("apps/v1", "ReplicaSet", spec={}), "spec.replicas", 1),
    (made("batch/v1", "Job", spec={"template": TEMPLATE}), "spec.completions", 1),
    (made("batch/v1", "Job", spec={"parallelism": 2}), "spec.completions", ...),
    (made("batch/v1", "Job", spec={"completions": 2}), "spec.parallelism", 1),
    (made("batch/v1", "Job", spec={}), "spec.backoffLimit", 6),
    (made("batch/v1", "Job", spec={"backoffLimitPerIndex": 1}), "spec.backoffLimit", 2**31 - 1),
    (made("batch/v1", "Job", spec={"podFailurePolicy": {}}), "spec.podReplacementPolicy", "Failed"),
    (made("batch/v1", "Job", spec={"template": TEMPLATE}), "metadata.labels", {"app": "web"}),
    (made("batch/v1", "CronJob", spec={}), "spec.concurrencyPolicy", "Allow"),
    (made("batch/v1", "CronJob", spec={}), "spec.successfulJobsHistoryLimit", 3),
    (
        made("batch/v1", "CronJob", spec={"jobTemplate": {"spec": {"template": TEMPLATE}}}),
        "spec.jobTemplate.spec.template.spec.restartPolicy",
        "Always",
    ),
    (
        made("batch/v1", "CronJob", spec={"jobTemplate": {"spec": {}}}),
        "spec.jobTemplate.spec.backoffLimit",
        ...,
    ),
    (made("v1", "ReplicationController", spec={"template": TEMPLATE}), "spec.selector", {"app": "web"}),
    (made("v1", "PodTemplate", template=TEMPLATE), "template.spec.dnsPolicy", "ClusterFirst"),
    (service(), "spec.type", "ClusterIP"),
    (service(), "spec.ports.0.targetPort", 80),
    (service(), "spec.ports.0.protocol", "TCP"),
    (service(), "spec.internalTrafficPolicy", "Cluster"),
    (service(), "spec.externalTrafficPolicy", ...),
    (service(type="NodePort"), "spec.externalTrafficPolicy", "Cluster"),
    (service(externalIPs=["192.0.2.1"]), "spec.externalTrafficPolicy", "Cluster"),
    (service(type="LoadBalancer"), "spec.allocateLoadBalancerNodePorts", True),
    (service(type="ExternalName"), "spec.internalTrafficPolicy", ...),
    (service(sessionAffinity="ClientIP"), "spec.sessionAffinityConfig.clientIP.timeoutSeconds", 10800),
    (made("v1", "Namespace"), "metadata.labels", {"kubernetes.io/metadata.name": "x"}),
    (made("v1", "Secret"), "type", "Opaque"),
    (made("v1", "PersistentVolumeClaim", spec={}), "spec.volumeMode", "Filesystem"),
    (made("v1", "PersistentVolume", spec={}), "spec.persistentVolumeReclaimPolicy", "Retain"),
    (
        made(
            "v1", "LimitRange", spec={"limits": [{"type": "Container", "max": {"cpu": 2}, "min": {"cpu": 1}}]}
        ),
        "spec.limits.0.defaultRequest.cpu",
        2,
    ),
    (made("networking.k8s.io/v1", "NetworkPolicy", spec={}), "spec.policyTypes", ["Ingress"]),
    (
        made("networking.k8s.io/v1", "NetworkPolicy", spec={"egress": [{}]}),
        "spec.policyTypes",
        ["Ingress", "Egress"],
    ),
    (made("autoscaling/v2", "HorizontalPodAutoscaler", spec={}), "spec.metrics.0.resource.name", "cpu"),
    (made("autoscaling/v1", "HorizontalPodAutoscaler", spec={}), "spec.metrics", ...),
    (
        made(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            spec={"behavior": {"scaleUp": {"selectPolicy": "Min"}}},
        ),
        "spec.behavior.scaleUp.stabilizationWindowSeconds",
        0,
    ),
    (
        made("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef={}, subjects=[{"kind": "User"}]),
        "subjects.0.apiGroup",
        "rbac.authorization.k8s.io",
    ),
    (
        made(
            "rbac.authorization.k8s.io/v1", "RoleBinding", roleRef={}, subjects=[{"kind": "ServiceAccount"}]
        ),
        "subjects.0.apiGroup",
        ...,
    ),
    (made("storage.k8s.io/v1", "StorageClass"), "volumeBindingMode", "Immediate"),
    (
        made("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", webhooks=[{"rules": [{}]}]),
        "webhooks.0.rules.0.scope",
        "*",
    ),
    (
        made("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec={"names": {"kind": "Shop"}}),
        "spec.names",
        {"kind": "Shop", "singular": "shop", "listKind": "ShopList"},
    ),
    (made("example.com/v1", "Deployment", spec={}), "spec.replicas", ...),
    (made("v1", "ConfigMap"), "data", ...),
]


@pytest.mark.parametrize(("raw", "path", "expected"), ROWS)
def test_a_field_gets_its_default(raw, path, expected) -> None:
    before = copy.deepcopy(raw)
    new = with_defaults(raw)
    assert at(new, path) == expected
    assert raw == before, "the input is as it was"
    assert with_defaults(new) is new, "twice is once"


POLICIES = [
    ("nginx", "Always"),
    ("nginx:latest", "Always"),
    ("nginx:1", "IfNotPresent"),
    ("localhost:5000/nginx", "Always"),
    ("localhost:5000/nginx:1", "IfNotPresent"),
    ("nginx@sha256:" + "0" * 64, "IfNotPresent"),
    ("nginx:latest@sha256:" + "0" * 64, "Always"),
    ("Registry.example.com/a/b", "Always"),
    ("Nginx", "IfNotPresent"),
    ("", "IfNotPresent"),
    (None, "IfNotPresent"),
    (3, "IfNotPresent"),
]


@pytest.mark.parametrize(("image", "policy"), POLICIES)
def test_the_pull_policy_follows_the_tag(image, policy) -> None:
    assert pull_policy(image) == policy


def test_parts_without_defaults_are_shared() -> None:
    raw = container()
    new = with_defaults(raw)
    assert new["metadata"] is raw["metadata"]


def test_an_object_without_a_kind_is_left_alone() -> None:
    for raw in ({}, {"apiVersion": 1, "kind": "Pod"}, {"apiVersion": "v1", "kind": None}):
        assert with_defaults(raw) is raw


JUNK: list[Any] = [None, 0, "", "x", True, [], [1], {}, {"a": 1}, [[{}]], [None]]


@pytest.mark.parametrize("kind", sorted(SHAPES), ids=str)
@pytest.mark.parametrize(
    "field", ["spec", "metadata", "template", "webhooks", "subjects", "status", "roleRef"]
)
def test_malformed_objects_are_no_trouble(kind, field) -> None:
    group, name = kind
    for junk in JUNK:
        raw = {"apiVersion": f"{group}/v1" if group else "v1", "kind": name, field: junk}
        new = with_defaults(raw)
        assert with_defaults(new) is new


def test_what_was_written_is_told_from_what_was_not() -> None:
    raw = deployment()
    path = ("spec", "template", "spec", "containers", 0, "imagePullPolicy")
    assert defaulted(raw, path)
    assert written(raw, path) == path[:-1]
    assert not defaulted(raw, path[:-1])
    assert written(raw, ("spec", "strategy", "rollingUpdate", "maxSurge")) == ("spec",)
    assert written(raw, ()) == ()


def test_a_view_keeps_its_origin() -> None:
    object = Object(deployment())
    new = apply_defaults(object)
    assert new.get("spec", "replicas") == 1
    assert new.origin is object.origin
    assert apply_defaults(new) is new
