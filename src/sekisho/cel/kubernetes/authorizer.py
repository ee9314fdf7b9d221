"""Kubernetes' authz library: asking whether a user may do something.

Facts from k8s.io/apiserver ``pkg/cel/library/authz.go``. Who answers is an ``Authorizer`` that the caller
supplies: the library asks nobody by itself. Values of these types are equal to nothing, themselves
included: comparing them is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from sekisho.cel.errors import CelError, no_such_overload
from sekisho.cel.functions import Overload
from sekisho.cel.kubernetes.costs import priced
from sekisho.cel.library import Library
from sekisho.cel.standard.rows import Row
from sekisho.cel.types import BOOL, STRING, struct
from sekisho.cel.values import OpaqueValue, Value
from sekisho.kube.names import dns_label, dns_subdomain
from sekisho.kube.review.request import UserInfo
from sekisho.lang.golang.gotext import WHITE_SPACE

AUTHORIZER: Final = struct("kubernetes.authorization.Authorizer")
PATH_CHECK: Final = struct("kubernetes.authorization.PathCheck")
GROUP_CHECK: Final = struct("kubernetes.authorization.GroupCheck")
RESOURCE_CHECK: Final = struct("kubernetes.authorization.ResourceCheck")
DECISION: Final = struct("kubernetes.authorization.Decision")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceAttributes:
    """Which objects. An empty ``namespace`` means the cluster's scope, an empty ``name`` all of them.

    Selectors are texts, as the expression gives them; one that cannot be parsed restricts nothing.
    """

    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """A question: may this user do this to these objects, or to this path (``resource`` is None then)?"""

    user: UserInfo
    verb: str
    resource: ResourceAttributes | None = None
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an authorizer says. ``error`` is what went wrong while it looked, None if nothing did."""

    allowed: bool
    reason: str = ""
    error: str | None = None


class Authorizer(Protocol):
    """Who knows what users may do."""

    def authorize(self, attributes: Attributes) -> Answer:
        """Answer a question. What goes wrong belongs in the answer: this raises nothing."""


# --- the values -------------------------------------------------------------------------------------------


class _Incomparable(OpaqueValue):
    """A value of the library."""

    __slots__ = ()

    def equals(self, other: Value) -> bool:  # noqa: ARG002 - whatever it is
        """Raises CelError, as Kubernetes does, whatever the other is."""
        raise no_such_overload()


class AuthorizerValue(_Incomparable):
    """``authorizer``: who is asked, and about whom."""

    __slots__ = ("authorizer", "user")
    cel_type = AUTHORIZER

    def __init__(self, authorizer: Authorizer, user: UserInfo) -> None:
        self.authorizer = authorizer
        self.user = user


class PathCheck(_Incomparable):
    """``authorizer.path(p)``."""

    __slots__ = ("asked", "path")
    cel_type = PATH_CHECK

    def __init__(self, asked: AuthorizerValue, path: str) -> None:
        self.asked = asked
        self.path = path


class GroupCheck(_Incomparable):
    """``authorizer.group(g)``."""

    __slots__ = ("asked", "group")
    cel_type = GROUP_CHECK

    def __init__(self, asked: AuthorizerValue, group: str) -> None:
        self.asked = asked
        self.group = group


class ResourceCheck(_Incomparable):
    """``authorizer.group(g).resource(r)`` and what narrows it; ``authorizer.requestResource``."""

    __slots__ = ("asked", "attributes")
    cel_type = RESOURCE_CHECK

    def __init__(self, asked: AuthorizerValue, attributes: ResourceAttributes) -> None:
        self.asked = asked
        self.attributes = attributes


class DecisionValue(_Incomparable):
    """What ``check`` gives."""

    __slots__ = ("answer",)
    cel_type = DECISION

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


# --- the functions ----------------------------------------------------------------------------------------


def _path(asked: AuthorizerValue, path: str) -> PathCheck:
    if not path.strip(WHITE_SPACE):
        raise CelError("path must not be empty")
    return PathCheck(asked, path)


def _resource(group: GroupCheck, resource: str) -> ResourceCheck:
    if not resource.strip(WHITE_SPACE):
        raise CelError("resource must not be empty")
    return ResourceCheck(group.asked, ResourceAttributes(group=group.group, resource=resource))


def _service_account(asked: AuthorizerValue, namespace: str, name: str) -> AuthorizerValue:
    if dns_subdomain(name):
        raise CelError("Invalid service account name")
    if dns_label(namespace):
        raise CelError("Invalid service account namespace")
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return AuthorizerValue(
        asked.authorizer, UserInfo(username=f"system:serviceaccount:{namespace}:{name}", groups=groups)
    )


def _narrowed(field: str) -> Callable[[ResourceCheck, str], ResourceCheck]:
    """A check with one attribute set."""

    def run(check: ResourceCheck, value: str) -> ResourceCheck:
        return ResourceCheck(check.asked, replace(check.attributes, **{field: value}))

    return run


def _check_path(check: PathCheck, verb: str) -> DecisionValue:
    asked = check.asked
    return DecisionValue(asked.authorizer.authorize(Attributes(user=asked.user, verb=verb, path=check.path)))


def _check_resource(check: ResourceCheck, verb: str) -> DecisionValue:
    asked = check.asked
    return DecisionValue(
        asked.authorizer.authorize(Attributes(user=asked.user, verb=verb, resource=check.attributes))
    )


def _row(function: str, signature: Row, call: Callable[..., Any], note: str = "") -> Overload:
    id, params, result = signature
    return Overload(id=id, function=function, params=params, result=result, call=call, member=True, note=note)


_OF_AUTHORIZER: Final = (AUTHORIZER, STRING)
_OF_CHECK: Final = (RESOURCE_CHECK, STRING)

AUTHZ: Final = Library(
    name="kubernetes.authz",
    overloads=priced(
        (
            _row("path", ("authorizer_path", _OF_AUTHORIZER, PATH_CHECK), _path, "a path such as /healthz"),
            _row("group", ("authorizer_group", _OF_AUTHORIZER, GROUP_CHECK), GroupCheck, "an API group"),
            _row(
                "serviceAccount",
                ("authorizer_serviceaccount", (AUTHORIZER, STRING, STRING), AUTHORIZER),
                _service_account,
                "asks about the service account of this namespace and name",
            ),
            _row(
                "resource",
                ("groupcheck_resource", (GROUP_CHECK, STRING), RESOURCE_CHECK),
                _resource,
                "a resource of the group, by its plural",
            ),
            _row(
                "subresource",
                ("resourcecheck_subresource", _OF_CHECK, RESOURCE_CHECK),
                _narrowed("subresource"),
            ),
            _row(
                "namespace",
                ("resourcecheck_namespace", _OF_CHECK, RESOURCE_CHECK),
                _narrowed("namespace"),
                "empty: the cluster's scope",
            ),
            _row("name", ("resourcecheck_name", _OF_CHECK, RESOURCE_CHECK), _narrowed("name")),
            _row("check", ("pathcheck_check", (PATH_CHECK, STRING), DECISION), _check_path, "an HTTP verb"),
            _row("check", ("resourcecheck_check", _OF_CHECK, DECISION), _check_resource, "an API verb"),
            _row("errored", ("decision_errored", (DECISION,), BOOL), lambda d: d.answer.error is not None),
            _row("error", ("decision_error", (DECISION,), STRING), lambda d: d.answer.error or ""),
            _row("allowed", ("decision_allowed", (DECISION,), BOOL), lambda d: d.answer.allowed),
            _row("reason", ("decision_reason", (DECISION,), STRING), lambda d: d.answer.reason),
        )
    ),
)

AUTHZ_SELECTORS: Final = Library(
    name="kubernetes.authzSelectors",
    overloads=priced(
        (
            _row(
                "fieldSelector",
                ("authorizer_fieldselector", _OF_CHECK, RESOURCE_CHECK),
                _narrowed("field_selector"),
            ),
            _row(
                "labelSelector",
                ("authorizer_labelselector", _OF_CHECK, RESOURCE_CHECK),
                _narrowed("label_selector"),
            ),
        )
    ),
)


def authorizer_variables(
    authorizer: Authorizer, user: UserInfo, resource: ResourceAttributes
) -> dict[str, Value]:
    """The values of ``authorizer`` and ``authorizer.requestResource`` for a request."""
    asked = AuthorizerValue(authorizer, user)
    return {"authorizer": asked, "authorizer.requestResource": ResourceCheck(asked, resource)}


AUTHORIZER_VARIABLES: Final = {"authorizer": AUTHORIZER, "authorizer.requestResource": RESOURCE_CHECK}
"""Their types."""
