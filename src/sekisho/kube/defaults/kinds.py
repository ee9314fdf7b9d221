"""The defaults of kinds, one row each (Kubernetes ``pkg/apis/*/*/defaults.go``).

``metadata`` and ``status`` are the server's to fill, and left alone, but for what defaulting itself writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.kube.defaults.pods import CLAIM_SPEC, POD_SPEC, TEMPLATE, VOLUME_SOURCES
from sekisho.kube.defaults.shape import NOTHING, Child, Finish, Raw, Shape, below, each, one

_MAX_INT32: Final = 2**31 - 1
_EMPTY: Final[Raw] = {}
_RBAC: Final = "rbac.authorization.k8s.io"
_NAME_LABEL: Final = "kubernetes.io/metadata.name"
_STICKY_SECONDS: Final = 10800
"""How long a Service with session affinity remembers a client: three hours."""


def _filled(value: Any, absent: Mapping[str, Any]) -> Any:
    """An object with these fields where it lacks them; null counts as an empty object."""
    if value is None:
        return dict(absent)
    if not isinstance(value, dict):
        return value
    missing = {name: default for name, default in absent.items() if value.get(name) is None}
    return {**value, **missing} if missing else value


def _with(value: Raw, name: str, new: Any) -> Raw:
    return value if value.get(name) is new else {**value, name: new}


def _labels(metadata: Any) -> Any:
    return metadata.get("labels") if isinstance(metadata, dict) else None


def _inherit_labels(object: Raw) -> Raw:
    """An object without labels takes those of its pod template."""
    spec = object.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    labels = _labels(template.get("metadata")) if isinstance(template, dict) else None
    metadata = object.get("metadata") or {}
    if not labels or not isinstance(metadata, dict) or metadata.get("labels"):
        return object
    return {**object, "metadata": {**metadata, "labels": labels}}


def _rolling(absent: Mapping[str, Any]) -> Finish:
    """A rolling update has these numbers where it names none."""

    def finish(strategy: Raw) -> Raw:
        if strategy.get("type") != "RollingUpdate":
            return strategy
        return _with(strategy, "rollingUpdate", _filled(strategy.get("rollingUpdate"), absent))

    return finish


def _stateful_strategy(strategy: Raw) -> Raw:
    """As other strategies, but ``type: RollingUpdate`` alone stays as short as it is."""
    if not strategy.get("type"):
        strategy = {**strategy, "type": "RollingUpdate"}
    elif strategy["type"] != "RollingUpdate" or strategy.get("rollingUpdate") is None:
        return strategy
    return _with(strategy, "rollingUpdate", _filled(strategy.get("rollingUpdate"), {"partition": 0}))


def _replication_controller(object: Raw) -> Raw:
    spec = object.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    labels = _labels(template.get("metadata")) if isinstance(template, dict) else None
    if labels and isinstance(spec, dict) and not spec.get("selector"):
        object = {**object, "spec": {**spec, "selector": labels}}
    return _inherit_labels(object)


def _job(spec: Raw) -> Raw:
    new: Raw = {}
    if spec.get("parallelism") is None:
        new["parallelism"] = 1
        if spec.get("completions") is None:
            new["completions"] = 1
    if spec.get("backoffLimit") is None:
        new["backoffLimit"] = 6 if spec.get("backoffLimitPerIndex") is None else _MAX_INT32
    if spec.get("podReplacementPolicy") is None:
        policy = "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed"
        new["podReplacementPolicy"] = policy
    return {**spec, **new} if new else spec


def _service(spec: Raw) -> Raw:
    new: Raw = {}
    type = spec.get("type")
    if spec.get("sessionAffinity") == "ClientIP":
        config = spec.get("sessionAffinityConfig")
        client = config.get("clientIP") if isinstance(config, dict) else None
        if not isinstance(client, dict) or client.get("timeoutSeconds") is None:
            new["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _STICKY_SECONDS}}
    elif spec.get("sessionAffinity") == "None" and "sessionAffinityConfig" in spec:
        spec = {name: value for name, value in spec.items() if name != "sessionAffinityConfig"}
    outside = type in ("LoadBalancer", "NodePort") or (type == "ClusterIP" and spec.get("externalIPs"))
    if outside and not spec.get("externalTrafficPolicy"):
        new["externalTrafficPolicy"] = "Cluster"
    if type in ("ClusterIP", "LoadBalancer", "NodePort") and spec.get("internalTrafficPolicy") is None:
        new["internalTrafficPolicy"] = "Cluster"
    if type == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
        new["allocateLoadBalancerNodePorts"] = True
    return {**spec, **new} if new else spec


def _service_port(port: Raw) -> Raw:
    number = port.get("port")
    if port.get("targetPort") or number is None or ("targetPort" in port and port["targetPort"] == number):
        return port
    return {**port, "targetPort": number}


def _namespace(object: Raw) -> Raw:
    metadata = object.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not name or not isinstance(metadata, dict):
        return object
    labels = metadata.get("labels") or {}
    if not isinstance(labels, dict) or labels.get(_NAME_LABEL) == name:
        return object
    return {**object, "metadata": {**metadata, "labels": {**labels, _NAME_LABEL: name}}}


def _limit_range(item: Raw) -> Raw:
    if item.get("type") != "Container":
        return item
    limits, requests, most, least = (
        value if isinstance(value, dict) else {}
        for value in (item.get("default"), item.get("defaultRequest"), item.get("max"), item.get("min"))
    )
    limits = {**most, **limits}
    requests = {**least, **limits, **requests}
    if item.get("default") == limits and item.get("defaultRequest") == requests:
        return item
    return {**item, "default": limits, "defaultRequest": requests}


def _network_policy(spec: Raw) -> Raw:
    if spec.get("policyTypes"):
        return spec
    return {**spec, "policyTypes": ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]}


def _subject(subject: Raw) -> Raw:
    if subject.get("apiGroup") or subject.get("kind") not in ("User", "Group"):
        return subject
    return {**subject, "apiGroup": _RBAC}


_SCALE_UP: Final[Raw] = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_SCALE_DOWN: Final[Raw] = {
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}
_CPU: Final[Raw] = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}


def _autoscaler(spec: Raw) -> Raw:
    if not spec.get("metrics"):
        spec = {**spec, "metrics": [_CPU]}
    behavior = spec.get("behavior")
    if not isinstance(behavior, dict):
        return spec
    up = _filled(behavior.get("scaleUp"), _SCALE_UP)
    down = _filled(behavior.get("scaleDown"), _SCALE_DOWN)
    return _with(spec, "behavior", _with(_with(behavior, "scaleUp", up), "scaleDown", down))


def _crd_names(names: Raw) -> Raw:
    kind = names.get("kind")
    if not isinstance(kind, str) or not kind:
        return names
    new = {
        name: value
        for name, value in (("singular", kind.lower()), ("listKind", f"{kind}List"))
        if not names.get(name)
    }
    return {**names, **new} if new else names


_TEMPLATE: Final = one(TEMPLATE, made=True)
_REPLICAS: Final = {"replicas": 1}
_HISTORY: Final = {"revisionHistoryLimit": 10}
_PENDING: Final = one(Shape(zero={"phase": "Pending"}), made=True)
_FAILURE_POLICY: Final = one(
    Shape(
        children={
            "rules": each(Shape(children={"onPodConditions": each(Shape(zero={"status": "True"}))})),
        }
    )
)

_CLAIM: Final = Shape(children={"spec": one(CLAIM_SPEC, made=True), "status": _PENDING})

_ROLE_BINDING: Final = Shape(
    children={
        "roleRef": one(Shape(zero={"apiGroup": _RBAC}), made=True),
        "subjects": each(Shape(finish=_subject)),
    }
)

_PORT_443: Final = one(Shape(absent={"port": 443}))
_SELECTORS: Final = {"matchPolicy": "Equivalent", "namespaceSelector": _EMPTY, "objectSelector": _EMPTY}
_RULES: Final = each(Shape(absent={"scope": "*"}))
_WEBHOOK: Final = {**_SELECTORS, "failurePolicy": "Fail", "timeoutSeconds": 10}
_WEBHOOK_FIELDS: Final = {"rules": _RULES, "clientConfig": one(Shape(children={"service": _PORT_443}))}
_MATCH: Final = one(Shape(_SELECTORS, children={"resourceRules": _RULES, "excludeResourceRules": _RULES}))


def _spec(
    absent: Mapping[str, Any] = NOTHING,
    finish: Finish | None = None,
    zero: Mapping[str, Any] = NOTHING,
    **children: Child,
) -> Shape:
    """A kind whose defaults are all in its spec."""
    return Shape(children={"spec": one(Shape(absent, zero, finish, children), made=True)})


def _strategy(absent: Mapping[str, Any]) -> Child:
    return one(Shape(zero={"type": "RollingUpdate"}, finish=_rolling(absent)), made=True)


SHAPES: Final[Mapping[tuple[str, str], Shape]] = {
    ("", "Pod"): Shape(children={"spec": one(POD_SPEC, made=True)}),
    ("", "PodTemplate"): Shape(children={"template": _TEMPLATE}),
    ("", "ReplicationController"): Shape(
        finish=_replication_controller,
        children={"spec": one(Shape(_REPLICAS, children={"template": one(TEMPLATE)}), made=True)},
    ),
    ("apps", "Deployment"): _spec(
        {**_REPLICAS, **_HISTORY, "progressDeadlineSeconds": 600},
        strategy=_strategy({"maxUnavailable": "25%", "maxSurge": "25%"}),
        template=_TEMPLATE,
    ),
    ("apps", "DaemonSet"): _spec(
        _HISTORY, updateStrategy=_strategy({"maxUnavailable": 1, "maxSurge": 0}), template=_TEMPLATE
    ),
    ("apps", "StatefulSet"): _spec(
        {**_REPLICAS, **_HISTORY},
        zero={"podManagementPolicy": "OrderedReady"},
        updateStrategy=one(Shape(finish=_stateful_strategy), made=True),
        persistentVolumeClaimRetentionPolicy=one(
            Shape(zero={"whenDeleted": "Retain", "whenScaled": "Retain"}), made=True
        ),
        template=_TEMPLATE,
        volumeClaimTemplates=each(_CLAIM),
    ),
    ("apps", "ReplicaSet"): _spec(_REPLICAS, template=_TEMPLATE),
    ("batch", "Job"): Shape(
        finish=_inherit_labels,
        children={
            "spec": one(
                Shape(
                    {"completionMode": "NonIndexed", "suspend": False, "manualSelector": False},
                    finish=_job,
                    children={"podFailurePolicy": _FAILURE_POLICY, "template": _TEMPLATE},
                ),
                made=True,
            )
        },
    ),
    ("batch", "CronJob"): _spec(
        {
            "suspend": False,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
        },
        zero={"concurrencyPolicy": "Allow"},
        jobTemplate=one(
            below(
                "spec",
                shape=Shape(children={"podFailurePolicy": _FAILURE_POLICY, "template": _TEMPLATE}),
                made=True,
            ),
            made=True,
        ),
    ),
    ("", "Service"): _spec(
        finish=_service,
        zero={"sessionAffinity": "None", "type": "ClusterIP"},
        ports=each(Shape(zero={"protocol": "TCP"}, finish=_service_port)),
    ),
    ("", "Namespace"): Shape(
        finish=_namespace, children={"status": one(Shape(zero={"phase": "Active"}), made=True)}
    ),
    ("", "Secret"): Shape(zero={"type": "Opaque"}),
    ("", "PersistentVolumeClaim"): _CLAIM,
    ("", "PersistentVolume"): Shape(
        children={
            "spec": one(
                Shape(
                    {"volumeMode": "Filesystem"},
                    {"persistentVolumeReclaimPolicy": "Retain"},
                    children=VOLUME_SOURCES,
                ),
                made=True,
            ),
            "status": _PENDING,
        }
    ),
    ("", "Endpoints"): Shape(
        children={"subsets": each(Shape(children={"ports": each(Shape(zero={"protocol": "TCP"}))}))}
    ),
    ("", "LimitRange"): _spec(limits=each(Shape(finish=_limit_range))),
    ("discovery.k8s.io", "EndpointSlice"): Shape(
        children={"ports": each(Shape(absent={"name": "", "protocol": "TCP"}))}
    ),
    ("networking.k8s.io", "NetworkPolicy"): _spec(
        finish=_network_policy,
        ingress=each(Shape(children={"ports": each(Shape(absent={"protocol": "TCP"}))})),
        egress=each(Shape(children={"ports": each(Shape(absent={"protocol": "TCP"}))})),
    ),
    ("networking.k8s.io", "IngressClass"): _spec(parameters=one(Shape(absent={"scope": "Cluster"}))),
    ("autoscaling", "HorizontalPodAutoscaler"): _spec({"minReplicas": 1}, _autoscaler),
    (_RBAC, "RoleBinding"): _ROLE_BINDING,
    (_RBAC, "ClusterRoleBinding"): _ROLE_BINDING,
    ("storage.k8s.io", "StorageClass"): Shape(
        absent={"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}
    ),
    ("storage.k8s.io", "VolumeAttachment"): _spec(
        source=one(Shape(children={"inlineVolumeSpec": one(Shape(children=VOLUME_SOURCES))}))
    ),
    ("storage.k8s.io", "CSIDriver"): _spec(
        {
            "attachRequired": True,
            "podInfoOnMount": False,
            "storageCapacity": False,
            "fsGroupPolicy": "ReadWriteOnceWithFSType",
            "requiresRepublish": False,
            "seLinuxMount": False,
        },
        zero={"volumeLifecycleModes": ["Persistent"]},
    ),
    ("scheduling.k8s.io", "PriorityClass"): Shape(absent={"preemptionPolicy": "PreemptLowerPriority"}),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): Shape(
        children={"webhooks": each(Shape(_WEBHOOK, children=_WEBHOOK_FIELDS))}
    ),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): Shape(
        children={
            "webhooks": each(Shape({**_WEBHOOK, "reinvocationPolicy": "Never"}, children=_WEBHOOK_FIELDS))
        }
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): _spec(
        {"failurePolicy": "Fail"}, matchConstraints=_MATCH
    ),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): _spec(
        {"failurePolicy": "Fail"}, matchConstraints=_MATCH
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): _spec(matchResources=_MATCH),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): _spec(matchResources=_MATCH),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _spec(
        {"conversion": {"strategy": "None"}}, names=one(Shape(finish=_crd_names))
    ),
    ("apiregistration.k8s.io", "APIService"): _spec(service=_PORT_443),
}
"""Group and kind → its defaults. All versions of a kind but one have the same."""

FIRST_AUTOSCALER: Final = _spec({"minReplicas": 1})
"""A HorizontalPodAutoscaler in autoscaling/v1, which knows neither metrics nor behavior."""
