"""Kinds that are questions: who am I, may I, whose token is this. Nothing of them is stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from sekisho.apiserver.authenticate import Authentication, known
from sekisho.apiserver.authorize import Attributes, Authorizer, Permission, decide
from sekisho.apiserver.causes import invalid, required
from sekisho.apiserver.route import Call
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.status import invalid as invalid_object
from sekisho.apiserver.types import ResourceType
from sekisho.kube.gvk import GVK
from sekisho.kube.review import UserInfo

Json = dict[str, Any]

AUTHENTICATION: Final = "authentication.k8s.io"
AUTHORIZATION: Final = "authorization.k8s.io"


class Reviews:
    """Answers the questions."""

    def __init__(
        self,
        authorizer: Callable[[], Authorizer],
        authentication: Authentication,
    ) -> None:
        self._authorizer = authorizer
        self._authentication = authentication
        self._rows: Mapping[tuple[str, str], Callable[[Call, Json], Awaitable[Json]]] = {
            (AUTHENTICATION, "selfsubjectreviews"): self._who,
            (AUTHENTICATION, "tokenreviews"): self._token,
            (AUTHORIZATION, "localsubjectaccessreviews"): self._local,
            (AUTHORIZATION, "selfsubjectaccessreviews"): self._may_i,
            (AUTHORIZATION, "selfsubjectrulesreviews"): self._what_may_i,
            (AUTHORIZATION, "subjectaccessreviews"): self._may,
        }

    def answers(self, type: ResourceType) -> bool:
        """Whether a resource is one of the questions."""
        return type.key in self._rows

    async def answer(self, call: Call, type: ResourceType, value: Json) -> Json:
        """The question with its answer in ``status``. Raises ApiError (422)."""
        found = await self._rows[type.key](call, value)
        metadata = {**value["metadata"], "creationTimestamp": None}
        return {**value, "metadata": metadata, "status": found}

    async def _who(self, call: Call, value: Json) -> Json:  # noqa: ARG002 - all have one form
        return {"userInfo": call.user.to_json()}

    async def _token(self, call: Call, value: Json) -> Json:  # noqa: ARG002
        spec = value.get("spec") or {}
        token, audiences = spec.get("token") or "", spec.get("audiences") or ()
        if not token:
            raise _refused("TokenReview", AUTHENTICATION, [required("spec.token")])
        user = self._whose(token, audiences)
        if user is None:
            return {"error": "[invalid bearer token]", "user": {}}
        found: Json = {"authenticated": True, "user": user.to_json()}
        if audiences:
            found["audiences"] = list(audiences)
        return found

    def _whose(self, token: str, audiences: Sequence[str]) -> UserInfo | None:
        accounts = self._authentication.accounts
        if audiences and accounts is not None:
            user = accounts.whose(token, audiences)
            return known(user) if user is not None else None
        return self._authentication.whose(token)

    async def _may_i(self, call: Call, value: Json) -> Json:
        return await self._decided(call.user, value, "SelfSubjectAccessReview")

    async def _may(self, call: Call, value: Json) -> Json:  # noqa: ARG002
        return await self._decided(_user(value, "SubjectAccessReview"), value, "SubjectAccessReview")

    async def _local(self, call: Call, value: Json) -> Json:
        kind = "LocalSubjectAccessReview"
        spec = value.get("spec") or {}
        if spec.get("nonResourceAttributes") is not None:
            cause = invalid("spec.nonResourceAttributes", None, "disallowed on this kind of request")
            raise _refused(kind, AUTHORIZATION, [cause])
        asked = (spec.get("resourceAttributes") or {}).get("namespace", "")
        if asked != call.target.namespace:
            cause = invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace")
            raise _refused(kind, AUTHORIZATION, [cause])
        return await self._decided(_user(value, kind), value, kind)

    async def _decided(self, user: UserInfo, value: Json, kind: str) -> Json:
        decision = await decide(self._authorizer(), _question(user, value, kind))
        found: Json = {"allowed": decision.allowed}
        if decision.denied:
            found["denied"] = True
        if decision.reason:
            found["reason"] = decision.reason
        return found

    async def _what_may_i(self, call: Call, value: Json) -> Json:
        namespace = (value.get("spec") or {}).get("namespace") or ""
        if not namespace:
            raise _refused("SelfSubjectRulesReview", AUTHORIZATION, [required("spec.namespace")])
        found = await self._authorizer().permissions(call.user, namespace)
        status: Json = {
            "resourceRules": [_resource_rule(row) for row in found.rows if not row.paths],
            "nonResourceRules": [
                {"verbs": list(row.verbs), "nonResourceURLs": list(row.paths)}
                for row in found.rows
                if row.paths
            ],
            "incomplete": found.incomplete,
        }
        if found.problem:
            status["evaluationError"] = found.problem
        return status


def _resource_rule(row: Permission) -> Json:
    found: Json = {"verbs": list(row.verbs), "apiGroups": list(row.groups), "resources": list(row.resources)}
    if row.names:
        found["resourceNames"] = list(row.names)
    return found


def _user(value: Json, kind: str) -> UserInfo:
    """The user that a review asks about. Raises ApiError (422)."""
    spec = value.get("spec") or {}
    name, groups = spec.get("user") or "", tuple(spec.get("groups") or ())
    if not name and not groups:
        cause = invalid("spec.user", "", "at least one of user or group must be specified")
        raise _refused(kind, AUTHORIZATION, [cause])
    extra = {key: tuple(rows) for key, rows in (spec.get("extra") or {}).items()}
    return UserInfo(username=name, uid=spec.get("uid") or "", groups=groups, extra=extra or None)


def _question(user: UserInfo, value: Json, kind: str) -> Attributes:
    """What a review asks. Raises ApiError (422) if it is not one thing."""
    spec = value.get("spec") or {}
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (resource is None) == (path is None):
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        if resource is not None:
            why = "cannot be specified in combination with resourceAttributes"
        at = "spec.resourceAttributes" if resource is None else "spec.nonResourceAttributes"
        raise _refused(kind, AUTHORIZATION, [invalid(at, path, why)])
    if path is not None:
        return Attributes(user=user, verb=path.get("verb") or "", path=path.get("path") or "")
    assert resource is not None, "one of the two is there"
    return Attributes(
        user=user,
        verb=resource.get("verb") or "",
        group=resource.get("group") or "",
        version=resource.get("version") or "",
        resource=resource.get("resource") or "",
        subresource=resource.get("subresource") or "",
        namespace=resource.get("namespace") or "",
        name=resource.get("name") or "",
    )


def _refused(kind: str, group: str, causes: list[Any]) -> ApiError:
    return invalid_object(GVK(group, "v1", kind), "", causes)
