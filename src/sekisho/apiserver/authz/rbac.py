"""Role-based access control: the authorizer over the roles and bindings of a store."""

from __future__ import annotations

from sekisho.apiserver.authorize import MASTERS, Attributes, Decision, Permission, Permissions
from sekisho.apiserver.authz.roles import Roles
from sekisho.apiserver.authz.rules import EVERYTHING, Rule
from sekisho.apiserver.store import Store
from sekisho.kube.review import UserInfo


class Rbac:
    """Answers by the roles and bindings of a store. It never says no: what no rule allows, nobody may do."""

    def __init__(self, store: Store) -> None:
        self.roles = Roles(store)

    async def decide(self, question: Attributes) -> Decision:
        """The answer to a question."""
        return self.ask(question)

    def ask(self, question: Attributes) -> Decision:
        """The same without waiting, for expressions that ask."""
        if MASTERS in question.user.groups:
            return Decision(allowed=True)
        namespace = "" if question.path else question.namespace
        problems: list[str] = []
        for granted in self.roles.granted(question.user, namespace):
            if granted.rule is None:
                problems.append(granted.problem)
            elif granted.rule.allows(question):
                reason = f"RBAC: allowed by {granted.binding.describe(granted.subject)}"
                return Decision(allowed=True, reason=reason)
        return Decision(reason=f"RBAC: {_aggregate(problems)}" if problems else "")

    async def permissions(self, user: UserInfo, namespace: str) -> Permissions:
        """What somebody may do in a namespace, and everywhere."""
        rules, problems = self.rules_for(user, namespace)
        return Permissions(rows=[_permission(rule) for rule in rules], problem=_aggregate(problems))

    def rules_for(self, user: UserInfo, namespace: str) -> tuple[list[Rule], list[str]]:
        """All rules that somebody has in a namespace, and what is wrong with some of their bindings."""
        if MASTERS in user.groups:
            return list(EVERYTHING), []
        found = list(self.roles.granted(user, namespace))
        rules = [row.rule for row in found if row.rule is not None]
        return rules, [row.problem for row in found if row.rule is None]


def _permission(rule: Rule) -> Permission:
    return Permission(
        verbs=rule.verbs, groups=rule.groups, resources=rule.resources, names=rule.names, paths=rule.paths
    )


def _aggregate(problems: list[str]) -> str:
    """Several errors as Go's aggregate writes them."""
    different = list(dict.fromkeys(problems))
    return different[0] if len(different) == 1 else f"[{', '.join(different)}]" if different else ""
