"""The kinds that Kubernetes 1.25 to 1.37 serve: one row a kind. Facts from k8s.io/api and its release notes.

Columns: group, kind, plural, scope, versions. The versions are those served in that range, the preferred
one of the newest release first. Subresource kinds (Scale, TokenRequest, Eviction, …) are not here: no object
of theirs is stored.
"""

from __future__ import annotations

from typing import Final

_N: Final = "Namespaced"
_C: Final = "Cluster"
_ADMISSION: Final = "admissionregistration.k8s.io"
_FLOW: Final = "flowcontrol.apiserver.k8s.io"
_RBAC: Final = "rbac.authorization.k8s.io"
_MIGRATION: Final = "storagemigration.k8s.io"
_DRA: Final = "v1 v1beta2 v1beta1 v1alpha3 v1alpha2 v1alpha1"
_GA: Final = "v1 v1beta1 v1alpha1"

ROWS: Final[tuple[tuple[str, str, str, str, str], ...]] = (
    ("", "Binding", "bindings", _N, "v1"),
    ("", "ComponentStatus", "componentstatuses", _C, "v1"),
    ("", "ConfigMap", "configmaps", _N, "v1"),
    ("", "Endpoints", "endpoints", _N, "v1"),
    ("", "Event", "events", _N, "v1"),
    ("", "LimitRange", "limitranges", _N, "v1"),
    ("", "Namespace", "namespaces", _C, "v1"),
    ("", "Node", "nodes", _C, "v1"),
    ("", "PersistentVolume", "persistentvolumes", _C, "v1"),
    ("", "PersistentVolumeClaim", "persistentvolumeclaims", _N, "v1"),
    ("", "Pod", "pods", _N, "v1"),
    ("", "PodTemplate", "podtemplates", _N, "v1"),
    ("", "ReplicationController", "replicationcontrollers", _N, "v1"),
    ("", "ResourceQuota", "resourcequotas", _N, "v1"),
    ("", "Secret", "secrets", _N, "v1"),
    ("", "Service", "services", _N, "v1"),
    ("", "ServiceAccount", "serviceaccounts", _N, "v1"),
    (_ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies", _C, _GA),
    (_ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", _C, _GA),
    (_ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", _C, "v1"),
    (_ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies", _C, _GA),
    (_ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", _C, _GA),
    (_ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", _C, "v1"),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", _C, "v1"),
    ("apiregistration.k8s.io", "APIService", "apiservices", _C, "v1"),
    ("apps", "ControllerRevision", "controllerrevisions", _N, "v1"),
    ("apps", "DaemonSet", "daemonsets", _N, "v1"),
    ("apps", "Deployment", "deployments", _N, "v1"),
    ("apps", "ReplicaSet", "replicasets", _N, "v1"),
    ("apps", "StatefulSet", "statefulsets", _N, "v1"),
    ("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", _C, _GA),
    ("authentication.k8s.io", "TokenReview", "tokenreviews", _C, "v1"),
    ("authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews", _N, "v1"),
    ("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", _C, "v1"),
    ("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews", _C, "v1"),
    ("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", _C, "v1"),
    ("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", _N, "v2 v1 v2beta2"),
    ("batch", "CronJob", "cronjobs", _N, "v1"),
    ("batch", "Job", "jobs", _N, "v1"),
    ("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", _C, "v1"),
    ("certificates.k8s.io", "ClusterTrustBundle", "clustertrustbundles", _C, "v1beta1 v1alpha1"),
    ("certificates.k8s.io", "PodCertificateRequest", "podcertificaterequests", _N, "v1beta1 v1alpha1"),
    ("coordination.k8s.io", "Lease", "leases", _N, "v1"),
    ("coordination.k8s.io", "LeaseCandidate", "leasecandidates", _N, "v1beta1 v1alpha2 v1alpha1"),
    ("discovery.k8s.io", "EndpointSlice", "endpointslices", _N, "v1"),
    ("events.k8s.io", "Event", "events", _N, "v1"),
    (_FLOW, "FlowSchema", "flowschemas", _C, "v1 v1beta3 v1beta2 v1beta1"),
    (_FLOW, "PriorityLevelConfiguration", "prioritylevelconfigurations", _C, "v1 v1beta3 v1beta2 v1beta1"),
    ("internal.apiserver.k8s.io", "StorageVersion", "storageversions", _C, "v1alpha1"),
    ("networking.k8s.io", "ClusterCIDR", "clustercidrs", _C, "v1alpha1"),
    ("networking.k8s.io", "IPAddress", "ipaddresses", _C, _GA),
    ("networking.k8s.io", "Ingress", "ingresses", _N, "v1"),
    ("networking.k8s.io", "IngressClass", "ingressclasses", _C, "v1"),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies", _N, "v1"),
    ("networking.k8s.io", "ServiceCIDR", "servicecidrs", _C, _GA),
    ("node.k8s.io", "RuntimeClass", "runtimeclasses", _C, "v1"),
    ("policy", "PodDisruptionBudget", "poddisruptionbudgets", _N, "v1"),
    (_RBAC, "ClusterRole", "clusterroles", _C, "v1"),
    (_RBAC, "ClusterRoleBinding", "clusterrolebindings", _C, "v1"),
    (_RBAC, "Role", "roles", _N, "v1"),
    (_RBAC, "RoleBinding", "rolebindings", _N, "v1"),
    ("resource.k8s.io", "DeviceClass", "deviceclasses", _C, "v1 v1beta2 v1beta1 v1alpha3"),
    ("resource.k8s.io", "DeviceTaintRule", "devicetaintrules", _C, "v1beta2 v1alpha3"),
    ("resource.k8s.io", "PodScheduling", "podschedulings", _N, "v1alpha1"),
    ("resource.k8s.io", "PodSchedulingContext", "podschedulingcontexts", _N, "v1alpha3 v1alpha2"),
    (
        "resource.k8s.io",
        "ResourceClaim",
        "resourceclaims",
        _N,
        _DRA,
    ),
    ("resource.k8s.io", "ResourceClaimParameters", "resourceclaimparameters", _N, "v1alpha2"),
    (
        "resource.k8s.io",
        "ResourceClaimTemplate",
        "resourceclaimtemplates",
        _N,
        _DRA,
    ),
    ("resource.k8s.io", "ResourceClass", "resourceclasses", _C, "v1alpha2 v1alpha1"),
    ("resource.k8s.io", "ResourceClassParameters", "resourceclassparameters", _N, "v1alpha2"),
    ("resource.k8s.io", "ResourcePoolStatusRequest", "resourcepoolstatusrequests", _C, "v1alpha3"),
    ("resource.k8s.io", "ResourceSlice", "resourceslices", _C, "v1 v1beta2 v1beta1 v1alpha3 v1alpha2"),
    ("scheduling.k8s.io", "CompositePodGroup", "compositepodgroups", _N, "v1alpha3"),
    ("scheduling.k8s.io", "PodGroup", "podgroups", _N, "v1beta1 v1alpha2"),
    ("scheduling.k8s.io", "PriorityClass", "priorityclasses", _C, "v1"),
    ("scheduling.k8s.io", "Workload", "workloads", _N, "v1beta1 v1alpha2 v1alpha1"),
    ("storage.k8s.io", "CSIDriver", "csidrivers", _C, "v1"),
    ("storage.k8s.io", "CSINode", "csinodes", _C, "v1"),
    ("storage.k8s.io", "CSIStorageCapacity", "csistoragecapacities", _N, "v1 v1beta1"),
    ("storage.k8s.io", "StorageClass", "storageclasses", _C, "v1"),
    ("storage.k8s.io", "VolumeAttachment", "volumeattachments", _C, "v1"),
    ("storage.k8s.io", "VolumeAttributesClass", "volumeattributesclasses", _C, _GA),
    (_MIGRATION, "StorageVersionMigration", "storageversionmigrations", _C, "v1beta1 v1alpha1"),
)
