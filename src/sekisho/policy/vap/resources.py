"""MatchResources: which requests a policy or a binding is about, checked and decoded.

The checks and their texts are those of the API server (kubernetes pkg/apis/admissionregistration/validation);
the values are given what the API server's defaults give them. The shape has been checked by the schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Path
from sekisho.kube import fielderror
from sekisho.kube.gvk import GVR
from sekisho.kube.names import path_segment
from sekisho.kube.selectors import EVERYTHING, Selector, label_selector, label_selector_problems

Problem = tuple[Path, str]
"""What is wrong, and where in the object."""

EXACT: Final = "Exact"
EQUIVALENT: Final = "Equivalent"
MATCH_POLICIES: Final = (EQUIVALENT, EXACT)

OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
SCOPES: Final = ("*", "Cluster", "Namespaced")
ANY: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of resourceRules. ``resources`` are pairs of a resource and a subresource, empty for none.

    ``names`` are those that it is restricted to; empty means any.
    """

    operations: tuple[str, ...]
    groups: tuple[str, ...]
    versions: tuple[str, ...]
    resources: tuple[tuple[str, str], ...]
    scope: str = ANY
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Which requests. Without ``rules`` any resource matches, but for ``excluded`` ones."""

    rules: tuple[Rule, ...] = ()
    excluded: tuple[Rule, ...] = ()
    match_policy: str = EQUIVALENT
    namespace_selector: Selector = EVERYTHING
    object_selector: Selector = EVERYTHING

    def concern(self, resource: GVR) -> bool:
        """Whether a request about a resource, in any version, can match."""
        return not self.rules or any(
            name in (ANY, resource.resource) for rule in self.rules for name, _ in rule.resources
        )


def resources_problems(raw: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    """What is wrong with a MatchResources object that stands at ``path``."""
    policy = raw.get("matchPolicy")
    if policy is not None and policy not in MATCH_POLICIES:
        at = (*path, "matchPolicy")
        yield at, fielderror.not_supported(at, policy, MATCH_POLICIES)
    for field in ("namespaceSelector", "objectSelector"):
        if raw.get(field) is not None:
            yield from label_selector_problems(raw[field], (*path, field))
    for field in ("resourceRules", "excludeResourceRules"):
        for index, row in enumerate(raw.get(field) or ()):
            yield from _named_rule_problems(row, (*path, field, index))


def read_resources(raw: Mapping[str, Any] | None) -> Resources:
    """The value of a MatchResources object in which nothing is wrong."""
    raw = raw or {}
    return Resources(
        rules=tuple(map(_rule, raw.get("resourceRules") or ())),
        excluded=tuple(map(_rule, raw.get("excludeResourceRules") or ())),
        match_policy=raw.get("matchPolicy") or EQUIVALENT,
        namespace_selector=label_selector(raw.get("namespaceSelector")),
        object_selector=label_selector(raw.get("objectSelector")),
    )


def _rule(raw: Mapping[str, Any]) -> Rule:
    split = (text.partition("/") for text in raw.get("resources") or ())
    return Rule(
        operations=tuple(raw.get("operations") or ()),
        groups=tuple(raw.get("apiGroups") or ()),
        versions=tuple(raw.get("apiVersions") or ()),
        resources=tuple((resource, sub) for resource, _, sub in split),
        scope=raw.get("scope") or ANY,
        names=tuple(raw.get("resourceNames") or ()),
    )


def _named_rule_problems(raw: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(raw.get("resourceNames") or ()):
        at = (*path, "resourceNames", index)
        for message in path_segment(name):
            yield at, fielderror.invalid(at, name, message)
        if name in seen:
            yield at, fielderror.duplicate(at, name)
        seen.add(name)
    yield from _operation_problems(raw.get("operations") or (), (*path, "operations"))
    yield from _group_problems(raw, path)
    yield from _resource_problems(raw.get("resources") or [], (*path, "resources"))
    scope = raw.get("scope")
    if scope is not None and scope not in SCOPES:
        at = (*path, "scope")
        yield at, fielderror.not_supported(at, scope, SCOPES)


def _operation_problems(operations: Sequence[str], path: Path) -> Iterator[Problem]:
    yield from _alone(operations, path, "operations")
    for index, operation in enumerate(operations):
        if operation not in OPERATIONS:
            at = (*path, index)
            yield at, fielderror.not_supported(at, operation, OPERATIONS)


def _group_problems(raw: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    yield from _alone(raw.get("apiGroups") or (), (*path, "apiGroups"), "API groups")
    versions = raw.get("apiVersions") or ()
    at = (*path, "apiVersions")
    yield from _alone(versions, at, "API versions")
    for index, version in enumerate(versions):
        if not version:
            yield (*at, index), fielderror.required((*at, index))


def _alone(values: Sequence[str], path: Path, what: str) -> Iterator[Problem]:
    """At least one value; a wildcard stands alone."""
    if not values:
        yield path, fielderror.required(path)
    if len(values) > 1 and ANY in values:
        yield path, fielderror.invalid(path, values, f"if '*' is present, must not specify other {what}")


def _resource_problems(resources: Sequence[str], path: Path) -> Iterator[Problem]:
    if not resources:
        yield path, fielderror.required(path)
    any_sub: set[str] = set()
    any_resource: set[str] = set()
    plain = False
    for index, text in enumerate(resources):
        at = (*path, index)
        if not text:
            yield at, fielderror.required(at)
            continue
        resource, slash, sub = text.partition("/")
        if not slash:
            plain = text != ANY  # as the API server has it: the last one without a subresource decides
            continue
        if resource in any_sub:
            detail = f"if '{resource}/*' is present, must not specify {text}"
            yield at, fielderror.invalid(at, text, detail)
        if sub in any_resource:
            detail = f"if '*/{sub}' is present, must not specify {text}"
            yield at, fielderror.invalid(at, text, detail)
        if sub == ANY:
            any_sub.add(resource)
        if resource == ANY:
            any_resource.add(sub)
    if len(resources) > 1 and "*/*" in resources:
        detail = "if '*/*' is present, must not specify other resources"
        yield path, fielderror.invalid(path, resources, detail)
    if ANY in resources and plain:
        detail = "if '*' is present, must not specify other resources without subresources"
        yield path, fielderror.invalid(path, resources, detail)
