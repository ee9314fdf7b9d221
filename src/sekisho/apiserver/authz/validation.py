"""The rules of RBAC's kinds beyond their schemas (``pkg/apis/rbac/validation``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sekisho.apiserver.authz.roles import GROUP
from sekisho.apiserver.causes import invalid, not_supported, required
from sekisho.apiserver.status import Cause
from sekisho.apiserver.types import Plain, Raw
from sekisho.kube.names import dns_subdomain
from sekisho.kube.selectors import label_selector_problems

_KINDS: Final = ("ServiceAccount", "User", "Group")


class RoleStrategy(Plain):
    """Roles and ClusterRoles."""

    def __init__(self, *, namespaced: bool) -> None:
        self._namespaced = namespaced

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:  # noqa: ARG002 - the protocol's shape
        """Each rule is about resources or about paths, and has verbs."""
        for index, rule in enumerate(new.get("rules") or ()):
            yield from self._rule(rule, f"rules[{index}]")
        aggregation = new.get("aggregationRule")
        if self._namespaced or aggregation is None:
            return
        at = "aggregationRule.clusterRoleSelectors"
        selectors = aggregation.get("clusterRoleSelectors") or ()
        if not selectors:
            yield required(at, "at least one clusterRoleSelector required if aggregationRule is non-nil")
        for index, selector in enumerate(selectors):
            for path, message in label_selector_problems(selector):
                field = ".".join([f"{at}[{index}]", *map(str, path)])
                text = message.partition(": ")[2] or message
                yield Cause(reason="FieldValueInvalid", message=text, field=field)

    def _rule(self, rule: Mapping[str, Any], at: str) -> Iterator[Cause]:
        if not rule.get("verbs"):
            yield required(f"{at}.verbs", "verbs must contain at least one value")
        paths = rule.get("nonResourceURLs")
        if paths:
            where = f"{at}.nonResourceURLs"
            if self._namespaced:
                yield invalid(where, paths, "namespaced rules cannot apply to non-resource URLs")
            if any(rule.get(name) for name in ("apiGroups", "resources", "resourceNames")):
                detail = "rules cannot apply to both regular resources and non-resource URLs"
                yield invalid(where, paths, detail)
            return
        if not rule.get("apiGroups"):
            yield required(f"{at}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield required(f"{at}.resources", "resource rules must supply at least one resource")


class BindingStrategy(Plain):
    """RoleBindings and ClusterRoleBindings."""

    def __init__(self, *, namespaced: bool) -> None:
        self._namespaced = namespaced

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:
        """The role and the subjects are named as they must be; the role never changes."""
        reference = new.get("roleRef") or {}
        if reference.get("apiGroup") != GROUP:
            yield not_supported("roleRef.apiGroup", reference.get("apiGroup", ""), (GROUP,))
        kinds = ("Role", "ClusterRole") if self._namespaced else ("ClusterRole",)
        if reference.get("kind") not in kinds:
            yield not_supported("roleRef.kind", reference.get("kind", ""), kinds)
        name = reference.get("name", "")
        if not name:
            yield required("roleRef.name")
        else:
            yield from (invalid("roleRef.name", name, wrong) for wrong in _segment(name))
        for index, subject in enumerate(new.get("subjects") or ()):
            yield from self._subject(subject, f"subjects[{index}]")
        if old is not None and old.get("roleRef") != new.get("roleRef"):
            yield invalid("roleRef", reference, "cannot change roleRef")

    def _subject(self, subject: Mapping[str, Any], at: str) -> Iterator[Cause]:
        kind, name, group = (subject.get(key, "") for key in ("kind", "name", "apiGroup"))
        if not name:
            yield required(f"{at}.name")
        if kind == "ServiceAccount":
            yield from (invalid(f"{at}.name", name, wrong) for wrong in (dns_subdomain(name) if name else ()))
            if group:
                yield not_supported(f"{at}.apiGroup", group, ("",))
            if not self._namespaced and not subject.get("namespace"):
                yield required(f"{at}.namespace")
        elif kind in _KINDS:
            if group != GROUP:
                yield not_supported(f"{at}.apiGroup", group, (GROUP,))
        else:
            yield not_supported(f"{at}.kind", kind, _KINDS)


def _segment(name: str) -> Iterator[str]:
    """What keeps a name from being one step of a path."""
    if name in (".", ".."):
        yield f"may not be '{name}'"
    for letter in "/%":
        if letter in name:
            yield f"may not contain '{letter}'"


STRATEGIES: Final = {
    (GROUP, "roles"): RoleStrategy(namespaced=True),
    (GROUP, "clusterroles"): RoleStrategy(namespaced=False),
    (GROUP, "rolebindings"): BindingStrategy(namespaced=True),
    (GROUP, "clusterrolebindings"): BindingStrategy(namespaced=False),
}
