"""What is watched always: the kinds that policies and what lowers their enforcement are written in."""

from __future__ import annotations

from typing import Final

from sekisho.kube.gvk import GVK
from sekisho.policy.constraint import GROUP, VERSIONS

TEMPLATE: Final = GVK("templates.gatekeeper.sh", "v1", "ConstraintTemplate")
DEFINITION: Final = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
NAMESPACE: Final = GVK("", "v1", "Namespace")
CONFIG: Final = GVK("config.gatekeeper.sh", "v1alpha1", "Config")
SYNC_SET: Final = GVK("syncset.gatekeeper.sh", "v1alpha1", "SyncSet")
PROVIDER: Final = GVK("externaldata.gatekeeper.sh", "v1beta1", "Provider")
EXPANSION: Final = GVK("expansion.gatekeeper.sh", "v1beta1", "ExpansionTemplate")
MUTATIONS: Final = "mutations.gatekeeper.sh"

POLICIES: Final = (
    TEMPLATE,
    CONFIG,
    SYNC_SET,
    GVK(MUTATIONS, "v1", "Assign"),
    GVK(MUTATIONS, "v1", "AssignMetadata"),
    GVK(MUTATIONS, "v1", "ModifySet"),
    GVK(MUTATIONS, "v1alpha1", "AssignImage"),
    EXPANSION,
    PROVIDER,
)
"""Kinds that policies are made of, each in the version that is stored; those of constraints come with
templates."""

RULES: Final = (
    GVK("enforcement.sekisho.dev", "v1alpha1", "Rollout"),
    GVK("enforcement.sekisho.dev", "v1alpha1", "BreakGlass"),
    GVK("waivers.sekisho.dev", "v1alpha1", "Waiver"),
    GVK("waivers.sekisho.dev", "v1alpha1", "WaiverGrant"),
)
"""Kinds that lower enforcement (``kube.review.rules``)."""

ALWAYS: Final = (*POLICIES, *RULES, NAMESPACE)

POD_STATUS: Final = "status.gatekeeper.sh"
POD_STATUSES: Final = tuple(
    GVK(POD_STATUS, "v1beta1", f"{of}PodStatus")
    for of in ("ConstraintTemplate", "Constraint", "Mutator", "ExpansionTemplate", "Config", "Provider")
)
"""Kinds in which each pod tells how it gets on with each policy."""

ADMISSION: Final = "admissionregistration.k8s.io"
GENERATED: Final = (
    GVK(ADMISSION, "v1", "ValidatingAdmissionPolicy"),
    GVK(ADMISSION, "v1", "ValidatingAdmissionPolicyBinding"),
)
"""Kinds that are made of templates and constraints."""

WEBHOOKS: Final = GVK(ADMISSION, "v1", "ValidatingWebhookConfiguration")
"""What says what is judged at admission, which policies that are made of templates keep to."""

WRITTEN: Final = frozenset({DEFINITION, WEBHOOKS, *POD_STATUSES, *GENERATED})
"""Kinds that followers write or read: watched for them, and no part of a snapshot."""


def constraint(kind: str) -> GVK:
    """A kind of constraints in the version that is watched."""
    return GVK(GROUP, VERSIONS[0], kind)
