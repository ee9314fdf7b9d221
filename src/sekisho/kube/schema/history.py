"""Kinds that Kubernetes ceased to serve before the first version whose schemas are known.

Facts of the Deprecated API Migration Guide of Kubernetes' documentation. What went later is in the data.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Removal(NamedTuple):
    """The version of Kubernetes that first lacked a kind, and the ``apiVersion`` to use instead."""

    gone_in: str
    successor: str


_ROWS: Final = (
    ("1.16", "extensions/v1beta1", "apps/v1", "DaemonSet Deployment ReplicaSet"),
    ("1.16", "extensions/v1beta1", "networking.k8s.io/v1", "NetworkPolicy"),
    ("1.16", "extensions/v1beta1", "", "PodSecurityPolicy"),
    ("1.16", "apps/v1beta1", "apps/v1", "ControllerRevision Deployment StatefulSet"),
    ("1.16", "apps/v1beta2", "apps/v1", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet"),
    ("1.22", "extensions/v1beta1", "networking.k8s.io/v1", "Ingress"),
    ("1.22", "networking.k8s.io/v1beta1", "networking.k8s.io/v1", "Ingress IngressClass"),
    (
        "1.22",
        "admissionregistration.k8s.io/v1beta1",
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    ),
    ("1.22", "apiextensions.k8s.io/v1beta1", "apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("1.22", "apiregistration.k8s.io/v1beta1", "apiregistration.k8s.io/v1", "APIService"),
    ("1.22", "authentication.k8s.io/v1beta1", "authentication.k8s.io/v1", "TokenReview"),
    (
        "1.22",
        "authorization.k8s.io/v1beta1",
        "authorization.k8s.io/v1",
        "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    ),
    ("1.22", "certificates.k8s.io/v1beta1", "certificates.k8s.io/v1", "CertificateSigningRequest"),
    ("1.22", "coordination.k8s.io/v1beta1", "coordination.k8s.io/v1", "Lease"),
    (
        "1.22",
        "rbac.authorization.k8s.io/v1beta1",
        "rbac.authorization.k8s.io/v1",
        "ClusterRole ClusterRoleBinding Role RoleBinding",
    ),
    (
        "1.22",
        "rbac.authorization.k8s.io/v1alpha1",
        "rbac.authorization.k8s.io/v1",
        "ClusterRole ClusterRoleBinding Role RoleBinding",
    ),
    ("1.22", "scheduling.k8s.io/v1beta1", "scheduling.k8s.io/v1", "PriorityClass"),
    ("1.22", "scheduling.k8s.io/v1alpha1", "scheduling.k8s.io/v1", "PriorityClass"),
    (
        "1.22",
        "storage.k8s.io/v1beta1",
        "storage.k8s.io/v1",
        "CSIDriver CSINode StorageClass VolumeAttachment",
    ),
    ("1.25", "batch/v1beta1", "batch/v1", "CronJob"),
    ("1.21", "batch/v2alpha1", "batch/v1", "CronJob"),
    ("1.25", "discovery.k8s.io/v1beta1", "discovery.k8s.io/v1", "EndpointSlice"),
    ("1.25", "events.k8s.io/v1beta1", "events.k8s.io/v1", "Event"),
    ("1.25", "autoscaling/v2beta1", "autoscaling/v2", "HorizontalPodAutoscaler"),
    ("1.25", "policy/v1beta1", "policy/v1", "PodDisruptionBudget"),
    ("1.25", "policy/v1beta1", "", "PodSecurityPolicy"),
    ("1.25", "node.k8s.io/v1beta1", "node.k8s.io/v1", "RuntimeClass"),
)
"""Gone in, apiVersion, successor (empty: none), kinds."""


def _key(api_version: str, kind: str) -> tuple[str, str, str]:
    group, _, version = api_version.rpartition("/")
    return (group, version, kind)


REMOVED: Final[dict[tuple[str, str, str], Removal]] = {
    _key(api_version, kind): Removal(gone_in, successor)
    for gone_in, api_version, successor, kinds in _ROWS
    for kind in kinds.split()
}
"""Group, version and kind → when it went."""
