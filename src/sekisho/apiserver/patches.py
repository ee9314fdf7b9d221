"""The patches that PATCH takes: from a body and a media type to a change of an object."""

from __future__ import annotations

from typing import Any, Final

import orjson

from sekisho.apiserver.decode import media_type, shaped
from sekisho.apiserver.route import Call
from sekisho.apiserver.status import ApiError, bad_request, unsupported_media_type
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.writes import Change
from sekisho.diag import DiagnosticError
from sekisho.kube import patch

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"

MAX_OPERATIONS: Final = 10_000
"""Operations of one JSON patch (apiserver's limit)."""


def change_of(call: Call, type: ResourceType) -> Change:
    """What the patch in a request does to an object. Raises ApiError (400, 415)."""
    kind = media_type(call.content_type)
    accepted = [JSON_PATCH, MERGE_PATCH, *([] if type.custom is not None else [STRATEGIC]), APPLY]
    if kind not in (JSON_PATCH, MERGE_PATCH, STRATEGIC) or kind not in accepted:
        raise unsupported_media_type(accepted)
    try:
        value = orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"error decoding patch: {error}") from None
    apply = {JSON_PATCH: _json_patch, MERGE_PATCH: _merge_patch, STRATEGIC: _strategic}[kind]

    def change(old: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        try:
            new = apply(old, value, type)
        except DiagnosticError as error:
            raise _unfit(error) from None
        if not isinstance(new, dict):
            raise bad_request("the patch leaves no object")
        decoded = shaped(new, type, call, [])
        return decoded.value, decoded.warnings

    return change


def _json_patch(old: dict[str, Any], value: Any, type: ResourceType) -> Any:  # noqa: ARG001 - all have one form
    if not isinstance(value, list):
        raise bad_request("error decoding patch: a JSON patch is a list of operations")
    if len(value) > MAX_OPERATIONS:
        raise ApiError(
            413,
            "RequestEntityTooLarge",
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(value)}",
        )
    return patch.apply(old, value)


def _merge_patch(old: dict[str, Any], value: Any, type: ResourceType) -> Any:  # noqa: ARG001
    if not isinstance(value, dict):
        raise bad_request("error decoding patch: a merge patch is an object")
    return patch.merge(old, value)


def _strategic(old: dict[str, Any], value: Any, type: ResourceType) -> Any:
    from sekisho.kube.strategic import strategic_merge

    if not isinstance(value, dict):
        raise bad_request("error decoding patch: a strategic merge patch is an object")
    return strategic_merge(old, value, type.schema())


def _unfit(error: DiagnosticError) -> ApiError:
    message = "the server rejected our request due to an error in our request"
    told = "; ".join(row.message for row in error.diagnostics)
    return ApiError(422, "Invalid", f"{message}: {told}")
