"""Whether a request is one that a policy or a binding is about (apiserver policy/matching, predicates/rules).

A resource that is served in several versions matches under any of them where ``matchPolicy`` is Equivalent;
what is judged is then the object in the version that matched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sekisho.kube.gvk import GVK, GVR, NO_RESOURCE, Scheme
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Request
from sekisho.kube.selectors import Selector
from sekisho.policy.vap.resources import ANY, EXACT, Resources, Rule

Namespaces = Mapping[str, Object]

NAMESPACES: Final = GVR("", "v1", "namespaces")

EXEMPT: Final[frozenset[tuple[str, str]]] = frozenset(
    (group, resource)
    for group, resources in {
        "admissionregistration.k8s.io": (
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
        ),
        "authentication.k8s.io": ("selfsubjectreviews", "tokenreviews"),
        "authorization.k8s.io": (
            "localsubjectaccessreviews",
            "selfsubjectaccessreviews",
            "selfsubjectrulesreviews",
            "subjectaccessreviews",
        ),
    }.items()
    for resource in resources
)
"""What no policy judges: the policies themselves, and questions whose refusal would break the cluster."""

COHABITING: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "events"): ("events.k8s.io",),
    ("events.k8s.io", "events"): ("",),
}
"""Other groups that serve the same stored objects."""


NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""The label that the API server gives every Namespace: its name."""

DEFAULT: Final = Object(
    {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "default", "labels": {NAME_LABEL: "default"}},
    }
)
"""The Namespace that is always there."""


class MatchError(Exception):
    """It cannot be told whether a request matches; the failure policy decides."""


class Matched(NamedTuple):
    """The resource and kind under which a request matched."""

    resource: GVR
    kind: GVK


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What matching asks of a request. A Namespace's own namespace is its name, as in the API server."""

    request: Request
    resource: GVR
    namespace: str
    scheme: Scheme
    namespaces: Namespaces

    @classmethod
    def of(cls, request: Request, scheme: Scheme, namespaces: Namespaces) -> Attributes:
        """The attributes of a request; one without a resource gets that of its kind."""
        resource = request.resource
        if resource == NO_RESOURCE:
            resource = scheme.resource(request.kind)
        namespace = request.namespace
        if not namespace and (resource.group, resource.resource) == ("", "namespaces"):
            namespace = request.name
        if not namespace and scheme.namespaced(request.kind) and not request.subresource:
            namespace = "default"  # where the object of a file goes that names no namespace
        return cls(
            request=request, resource=resource, namespace=namespace, scheme=scheme, namespaces=namespaces
        )

    @property
    def exempt(self) -> bool:
        """Whether no policy may judge this."""
        return (self.resource.group, self.resource.resource) in EXEMPT

    @property
    def in_namespace(self) -> str:
        """The namespace that the object lives in; empty for a Namespace and for what lives in none."""
        return "" if self.request.kind == ("", "v1", "Namespace") else self.namespace

    def namespace_object(self) -> Object | None:
        """The Namespace that the object lives in; None where there is none, or it is not known."""
        name = self.in_namespace
        if not name:
            return None
        found = self.request.namespace_object or self.namespaces.get(name)
        return DEFAULT if found is None and name == "default" else found

    def equivalents(self) -> Iterator[Matched]:
        """The other versions of the resource."""
        group, version, plural = self.resource
        for each in (group, *COHABITING.get((group, plural), ())):
            info = self.scheme.find_resource(each, plural)
            for other in info.versions if info else ():
                if (each, other) != (group, version):
                    kind = self.request.kind
                    kind = GVK(each, other, info.kind) if info and not self.request.subresource else kind
                    yield Matched(GVR(each, other, plural), kind)


def matches(resources: Resources, attributes: Attributes) -> Matched | None:
    """Under what the request matches, None if it does not; raises MatchError where it cannot be told."""
    error: MatchError | None = None
    try:
        if not _namespace_matches(resources.namespace_selector, attributes):
            return None
    except MatchError as unknown:
        error = unknown  # told only if all else matches
    if not _object_matches(resources.object_selector, attributes.request):
        return None
    exact = resources.match_policy == EXACT
    if _match_rules(resources.excluded, attributes, exact=exact):
        return None
    if resources.rules:
        found = _match_rules(resources.rules, attributes, exact=exact)
    else:
        found = Matched(attributes.resource, attributes.request.kind)
    if found is not None and error is not None:
        raise error
    return found


def _namespace_matches(selector: Selector, attributes: Attributes) -> bool:
    request = attributes.request
    about_namespace = attributes.resource.resource == "namespaces"
    if not attributes.namespace and not about_namespace:
        return True
    if not selector.requirements:
        return True
    # Of a Namespace the labels count that it will have; when it is deleted those that it has.
    own = about_namespace and not request.subresource
    found = request.subject if own else attributes.namespace_object()
    if found is None:
        raise MatchError(f'namespaces "{attributes.namespace}" not found')
    return selector.matches({**found.labels, NAME_LABEL: attributes.namespace})


def _object_matches(selector: Selector, request: Request) -> bool:
    if not selector.requirements:
        return True
    return any(
        object is not None and selector.matches(object.labels)
        for object in (request.object, request.old_object)
    )


def _match_rules(rules: Sequence[Rule], attributes: Attributes, *, exact: bool) -> Matched | None:
    if not rules:
        return None
    request = attributes.request
    for rule in rules:
        if _rule_matches(rule, attributes.resource, attributes) and _named(rule, request):
            return Matched(attributes.resource, request.kind)
    if exact:
        return None
    others = tuple(attributes.equivalents())
    for rule in rules:
        for other in others:
            if _rule_matches(rule, other.resource, attributes) and _named(rule, request):
                return other
    return None


def _named(rule: Rule, request: Request) -> bool:
    return not rule.names or request.name in rule.names


def _rule_matches(rule: Rule, resource: GVR, attributes: Attributes) -> bool:
    return (
        _scope_matches(rule.scope, resource, attributes.namespace)
        and _operation_matches(rule.operations, attributes.request.operation)
        and _listed(rule.groups, resource.group)
        and _listed(rule.versions, resource.version)
        and any(
            name in (ANY, resource.resource) and sub in (ANY, attributes.request.subresource)
            for name, sub in rule.resources
        )
    )


def _scope_matches(scope: str, resource: GVR, namespace: str) -> bool:
    if scope == ANY:
        return True
    namespaced = bool(namespace) and resource != NAMESPACES
    return namespaced if scope == "Namespaced" else not namespaced


def _operation_matches(operations: Sequence[str], operation: Operation) -> bool:
    """An operation that nobody named, as offline, is taken for a CREATE."""
    word = operation.value or Operation.CREATE.value
    return _listed(operations, word)


def _listed(values: Sequence[str], value: str) -> bool:
    return ANY in values or value in values
