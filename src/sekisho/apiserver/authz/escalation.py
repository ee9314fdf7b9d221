"""Nobody grants what they have not: the checks of writes to roles and bindings.

Steps, for everybody but ``system:masters``. A role: who may ``escalate`` it may write any rules; else each
rule has to be covered by the writer's own; and an aggregation rule, which gathers anything, asks for all of a
cluster administrator's. A binding: who may ``bind`` the role may bind it; else the rules of the role have to
be covered. A binding to a role that is not there is refused, since nothing tells what it would come to grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sekisho.apiserver import status
from sekisho.apiserver.authorize import MASTERS, Attributes
from sekisho.apiserver.authz.rbac import Rbac
from sekisho.apiserver.authz.roles import BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, GROUP, ROLES
from sekisho.apiserver.authz.rules import EVERYTHING, Rule, compact, go_list, missing, rules_of
from sekisho.apiserver.route import Call
from sekisho.apiserver.types import ResourceType
from sekisho.kube.review import UserInfo

Raw = Mapping[str, Any]

_AGGREGATES: Final = "must have cluster-admin privileges to use the aggregationRule"
_COLLECTED: Final = ("ownerReferences", "finalizers")
"""What the garbage collector changes; who may change nothing else grants nothing."""


class Escalation:
    """Checks writes. ``check`` is called with every object that is about to be stored."""

    def __init__(self, rbac: Rbac) -> None:
        self._rbac = rbac

    def check(self, call: Call, type: ResourceType, new: Raw, old: Raw | None) -> None:
        """Raise ApiError (403, 404) for a write that would grant what its writer has not."""
        if type.group != GROUP or MASTERS in call.user.groups or _only_collected(new, old):
            return
        namespace = new["metadata"].get("namespace", "")
        if type.key in (ROLES, CLUSTER_ROLES):
            self._role(call, type, new, old, namespace)
        elif type.key in (BINDINGS, CLUSTER_BINDINGS):
            self._binding(call, type, new, namespace)

    def _role(self, call: Call, type: ResourceType, new: Raw, old: Raw | None, namespace: str) -> None:
        question = Attributes(
            user=call.user,
            verb="escalate",
            group=GROUP,
            version="*",
            resource=type.plural,
            namespace=namespace,
            name=call.target.name,
        )
        if self._rbac.ask(question).allowed:
            return
        name = new["metadata"].get("name", "")
        self._confirm(call.user, namespace, rules_of(new), type, name)
        aggregated = type.key == CLUSTER_ROLES and (
            _aggregates(new) or (old is not None and _aggregates(old))
        )
        own, _ = self._rbac.rules_for(call.user, namespace)
        if aggregated and missing(own, EVERYTHING):
            raise status.forbidden(type.resource, name, _AGGREGATES)

    def _binding(self, call: Call, type: ResourceType, new: Raw, namespace: str) -> None:
        reference = new.get("roleRef") or {}
        kind, role = reference.get("kind", ""), reference.get("name", "")
        plural = {"ClusterRole": "clusterroles", "Role": "roles"}.get(kind)
        if plural is None:
            return  # validation says so
        question = Attributes(
            user=call.user,
            verb="bind",
            group=reference.get("apiGroup", ""),
            version="*",
            resource=plural,
            namespace=namespace,
            name=role,
        )
        if self._rbac.ask(question).allowed:
            return
        rules, problem = self._rbac.roles.rules(kind, role, namespace)
        if problem:
            raise status.not_found(status.Resource(group=GROUP, plural=plural), role)
        self._confirm(call.user, namespace, rules, type, new["metadata"].get("name", ""))

    def _confirm(
        self, user: UserInfo, namespace: str, rules: Iterable[Rule], type: ResourceType, name: str
    ) -> None:
        own, problems = self._rbac.rules_for(user, namespace)
        lacking = missing(own, rules)
        if not lacking:
            return
        told = "\n".join(sorted({str(rule) for rule in compact(lacking)}))
        message = (
            f'user "{user.username}" (groups={go_list(user.groups)}) is attempting to grant RBAC '
            "permissions not "
            f"currently held:\n{told}"
        )
        if problems:
            message += f"; resolution errors: [{' '.join(dict.fromkeys(problems))}]"
        raise status.forbidden(type.resource, name, message)


def _aggregates(role: Raw) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _only_collected(new: Raw, old: Raw | None) -> bool:
    """Whether nothing but what the garbage collector changes is different."""
    if old is None:
        return False

    def rest(value: Raw) -> Any:
        metadata = {
            key: row for key, row in value["metadata"].items() if key not in (*_COLLECTED, "managedFields")
        }
        return {**value, "metadata": metadata}

    return bool(rest(new) == rest(old))
