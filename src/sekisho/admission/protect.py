"""The guard guards itself: what it consists of may be changed by itself and by named principals only.

An API server asks no webhook about webhook configurations, so on a real cluster these are beyond a reviewer;
``registration`` puts them back. Where reviewers are asked about everything, as in the embedded server, they
are protected here too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sekisho.admission import codes
from sekisho.admission.judge import POLICY_GROUPS, Repair
from sekisho.diag import Deadline, Diagnostic
from sekisho.kube.review import ALLOWED, Operation, Outcome, Request, Verdict

REGISTRATION: Final = "admissionregistration.k8s.io"
DEFINITIONS: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")

OUR_GROUPS: Final = (".gatekeeper.sh", ".sekisho.dev")
"""The ends of the names of groups whose definitions belong to the guard."""

INSIDE: Final = frozenset(
    {
        ("", "ConfigMap"),
        ("", "Secret"),
        ("", "Service"),
        ("", "ServiceAccount"),
        ("apps", "Deployment"),
        ("coordination.k8s.io", "Lease"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("policy", "PodDisruptionBudget"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
    }
)
"""Kinds of which the guard itself consists, in its own Namespace. Pods come and go by controllers."""

RIGHTS: Final = frozenset(
    {("rbac.authorization.k8s.io", "ClusterRole"), ("rbac.authorization.k8s.io", "ClusterRoleBinding")}
)

SYSTEM: Final = ("system:kube-", "system:serviceaccount:kube-system:", "system:node:", "system:apiserver")
"""Beginnings of the names of Kubernetes' own components, which keep objects in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """What belongs to the guard, beside its Namespace: webhook configurations and rights, by name.

    ``policies`` protects every policy too, so that only named principals change what is enforced.
    """

    configurations: frozenset[str] = frozenset()
    rights: frozenset[str] = frozenset()
    policies: bool = False


class Protect:
    """The judge. What it refuses nothing lowers: no waiver, no rollout."""

    def __init__(self, repair: Repair, protected: Protected) -> None:
        self._repair = repair
        self._protected = protected

    def __call__(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:  # noqa: ARG002
        """Refuse whoever may not change what belongs to the guard."""
        if request.operation is Operation.CONNECT or self._may(request):
            return ALLOWED
        why = next((why for why in _RULES if why(self, request)), None)
        if why is None:
            return ALLOWED
        subject = request.subject
        name = request.name or subject.name
        where = f"{request.namespace}/{name}" if request.namespace else name
        message = f"{request.kind.kind} {where} {_RULES[why]}; only {self._who()} may change it"
        found = Diagnostic(code=codes.PROTECTED, message=message, at=subject.at())
        return Verdict(outcome=Outcome.DENY, failures=(found,))

    def _may(self, request: Request) -> bool:
        repair = self._repair
        return repair.is_own(request) or repair.is_named(request) or request.user.username.startswith(SYSTEM)

    def _who(self) -> str:
        names = [*sorted(self._repair.users), *(f"the group {row}" for row in sorted(self._repair.groups))]
        return " and ".join(names) or "sekisho itself"

    def is_configuration(self, request: Request) -> bool:
        """A webhook configuration of the guard."""
        name = request.name or request.subject.name
        return request.kind.group == REGISTRATION and name in self._protected.configurations

    def is_definition(self, request: Request) -> bool:
        """The definition of one of its kinds."""
        kind = (request.kind.group, request.kind.kind)
        return kind == DEFINITIONS and request.subject.name.endswith(OUR_GROUPS)

    def is_namespace(self, request: Request) -> bool:
        """Its own Namespace."""
        subject = request.subject
        return (
            bool(self._repair.namespace) and subject.is_namespace and subject.name == self._repair.namespace
        )

    def is_inside(self, request: Request) -> bool:
        """A part of it in its own Namespace."""
        inside = bool(self._repair.namespace) and request.namespace == self._repair.namespace
        return inside and (request.kind.group, request.kind.kind) in INSIDE

    def is_right(self, request: Request) -> bool:
        """A right that it has."""
        kind = (request.kind.group, request.kind.kind)
        return kind in RIGHTS and request.subject.name in self._protected.rights

    def is_policy(self, request: Request) -> bool:
        """A policy, where these are protected."""
        return self._protected.policies and request.kind.group in POLICY_GROUPS


_RULES: Final[dict[Callable[[Protect, Request], bool], str]] = {
    Protect.is_configuration: "is how the API server asks the guard",
    Protect.is_definition: "is a kind of the guard's",
    Protect.is_namespace: "is where the guard runs",
    Protect.is_inside: "is a part of the guard",
    Protect.is_right: "is a right of the guard's",
    Protect.is_policy: "is a policy, and policies are protected",
}
"""What belongs to the guard, and the words for it."""
