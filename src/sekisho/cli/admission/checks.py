"""What ``check`` says of rules and policies written in CEL, besides their verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from sekisho.diag import Diagnostic
from sekisho.kube.object import Object
from sekisho.kube.schema import CustomKinds, has_rules

if TYPE_CHECKING:
    from sekisho.cel.kubernetes.rules import CustomRules
    from sekisho.policy import Engine

GROUP: Final = "admissionregistration.k8s.io"
KINDS: Final = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
"""Kubernetes' own policies, which its schemas judge too."""


def is_admission_policy(object: Object) -> bool:
    """Whether an object is one of them."""
    return object.gvk.group == GROUP and object.kind in KINDS


def custom_rules(everything: Sequence[Object], custom: CustomKinds, *, cache: bool) -> CustomRules | None:
    """The rules of CustomResourceDefinitions; None where there are none, since they need an engine."""
    if not any(schema is not None and has_rules(schema) for schema in custom.schemas.values()):
        return None
    from sekisho.cel.kubernetes.rules import CustomRules
    from sekisho.cli.programs import cached_rules

    return CustomRules.of(everything, custom, compile=cached_rules(enabled=cache))


def type_warnings(engine: Engine | None, custom: CustomKinds) -> Iterable[Diagnostic]:
    """Where expressions of admission policies do not fit the kinds that these are about."""
    if engine is None or engine.vap is None:
        return ()
    from sekisho.policy.vap import expression_warnings

    return [
        warning.diagnostic()
        for row in engine.vap.policies
        for warning in expression_warnings(row.written, scheme=engine.vap.scheme, custom=custom)
    ]
