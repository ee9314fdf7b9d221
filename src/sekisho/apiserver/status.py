"""Errors as the API tells them: a ``Status`` object, with the reason that programs match on and the text.

Codes, reasons and texts are those of apimachinery's ``api/errors``; each constructor is one of its.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.kube.gvk import GVK


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One of the reasons behind an error: where it is, and what is wrong there."""

    reason: str
    message: str
    field: str = ""

    def to_json(self) -> dict[str, Any]:
        """As Status writes it."""
        row = {"reason": self.reason, "message": self.message, "field": self.field}
        return {key: value for key, value in row.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What an error is about: the resource in its group, as texts write it (``deployments.apps``)."""

    group: str = ""
    plural: str = ""

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(eq=False)
class ApiError(Exception):
    """A request that fails with a Status. ``details`` are those of the Status, None where it has none."""

    code: int
    reason: str
    message: str
    details: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def to_json(self) -> dict[str, Any]:
        """The Status."""
        out: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            out["reason"] = self.reason
        if self.details is not None:
            out["details"] = dict(self.details)
        out["code"] = self.code
        return out


def _details(resource: Resource, name: str, causes: Iterable[Cause] = (), **more: Any) -> dict[str, Any]:
    rows: dict[str, Any] = {"name": name, "group": resource.group, "kind": resource.plural}
    told = [cause.to_json() for cause in causes]
    if told:
        rows["causes"] = told
    return {key: value for key, value in (rows | more).items() if value}


def not_found(resource: Resource, name: str) -> ApiError:
    """There is no such object."""
    return ApiError(404, "NotFound", f'{resource} "{name}" not found', _details(resource, name))


def no_such_resource() -> ApiError:
    """The path names no resource."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str) -> ApiError:
    """An object of this name is there."""
    return ApiError(409, "AlreadyExists", f'{resource} "{name}" already exists', _details(resource, name))


def conflict(resource: Resource, name: str, why: str, causes: Iterable[Cause] = ()) -> ApiError:
    """The object is not as the client believes."""
    message = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(resource, name, causes))


MODIFIED: Final = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


def apply_conflict(causes: Iterable[Cause], message: str) -> ApiError:
    """Server-side apply: other managers own the fields."""
    told = [cause.to_json() for cause in causes]
    return ApiError(409, "Conflict", message, {"causes": told})


def invalid(kind: GVK, name: str, causes: Iterable[Cause]) -> ApiError:
    """The object breaks the rules of its kind; the text lists every cause."""
    rows = tuple(causes)
    texts = [*dict.fromkeys(f"{row.field}: {row.message}" if row.field else row.message for row in rows)]
    told = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    title = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    details = {"name": name, "group": kind.group, "kind": kind.kind}
    details = {key: value for key, value in details.items() if value}
    if rows:
        details["causes"] = [row.to_json() for row in rows]  # type: ignore[assignment]
    message = f'{title} "{name}" is invalid: {told}' if rows else f'{title} "{name}" is invalid'
    return ApiError(422, "Invalid", message, details)


def bad_request(message: str) -> ApiError:
    """The request cannot be understood."""
    return ApiError(400, "BadRequest", message)


def forbidden(resource: Resource, name: str, why: str, causes: Iterable[Cause] = ()) -> ApiError:
    """The request is refused."""
    target = f'{resource} "{name}"' if name else str(resource)
    message = f"{target} is forbidden: {why}" if resource.plural else f"forbidden: {why}"
    return ApiError(403, "Forbidden", message, _details(resource, name, causes))


def unauthorized() -> ApiError:
    """Nobody is known by these credentials."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> ApiError:
    """The path has no such verb."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def not_acceptable(accepted: str) -> ApiError:
    """The client accepts nothing that the server can write."""
    message = f"only the following media types are accepted: {accepted}"
    return ApiError(406, "NotAcceptable", message)


def unsupported_patch() -> ApiError:
    """The patch is of a kind that the resource does not take."""
    return ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def unsupported_media_type(accepted: Iterable[str]) -> ApiError:
    """The server cannot read what the client sends."""
    message = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(
        accepted
    )
    return ApiError(415, "UnsupportedMediaType", message)


def too_large(limit: int) -> ApiError:
    """The body is longer than allowed."""
    message = f"Request entity too large: limit is {limit}"
    return ApiError(413, "RequestEntityTooLarge", message)


def expired(message: str) -> ApiError:
    """The resource version, or the continue token, is too old."""
    return ApiError(410, "Expired", message)


def too_old(version: int, oldest: int) -> ApiError:
    """A watch from a version that has been compacted."""
    return expired(f"too old resource version: {version} ({oldest})")


def too_large_version(asked: int, current: int) -> ApiError:
    """A resource version that is still to come."""
    message = f"Too large resource version: {asked}, current: {current}"
    cause = Cause(reason="ResourceVersionTooLarge", message="Too large resource version")
    details = {"causes": [cause.to_json()], "retryAfterSeconds": 1}
    return ApiError(504, "Timeout", f"Timeout: {message}", details)


def internal(message: str) -> ApiError:
    """Something went wrong inside; the text says nothing that the client should not know."""
    cause = Cause(reason="", message=message)
    return ApiError(
        500, "InternalError", f"Internal error occurred: {message}", {"causes": [cause.to_json()]}
    )


def too_many_requests(message: str, seconds: int = 1) -> ApiError:
    """The server is busy, or a limit is reached."""
    return ApiError(429, "TooManyRequests", message, {"retryAfterSeconds": seconds})


def success(resource: Resource, name: str, uid: str) -> dict[str, Any]:
    """The Status of a deletion that is done."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": _details(resource, name, uid=uid),
    }
