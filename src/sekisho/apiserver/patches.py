"""The patches that PATCH takes: from a body and a media type to a change of an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from sekisho.apiserver import gojson
from sekisho.apiserver.decode import Mismatch, media_type, read_value, shallow, shaped
from sekisho.apiserver.managed import Managers
from sekisho.apiserver.options import check_options
from sekisho.apiserver.route import Call
from sekisho.apiserver.status import ApiError, Cause, bad_request, conflict, invalid, unsupported_patch
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.writes import Change, Changed, Creation
from sekisho.diag import DiagnosticError
from sekisho.kube import patch
from sekisho.kube.gvk import GVK
from sekisho.kube.strategic import FORM_TEXTS, LIST_OF_LISTS, PatchError, strategic_merge
from sekisho.lang.golang.gotext import quote
from sekisho.lang.golang.govalue import plain

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"

NO_KIND: Final = GVK("", "", "")
"""What errors about patches call the kind."""

MAX_OPERATIONS: Final = 10_000
"""Operations of one JSON patch (apiserver's limit)."""


class Patching(NamedTuple):
    """What a patch does to an object, and what it makes of none; None: there has to be one."""

    change: Change
    create: Creation | None = None


def patching(call: Call, type: ResourceType, managers: Managers) -> Patching:
    """What the patch in a request does. Raises ApiError (400, 415, 422)."""
    kind = media_type(call.content_type)
    accepted = [JSON_PATCH, MERGE_PATCH, *([] if type.custom is not None else [STRATEGIC]), APPLY]
    if kind not in accepted:
        raise unsupported_patch()
    check_options(call, apply=kind == APPLY)
    if kind == APPLY:
        return _applying(call, type, managers)
    return Patching(_change(call, type, kind))


def _applying(call: Call, type: ResourceType, managers: Managers) -> Patching:
    config, _ = read_value(call.body, "application/yaml")
    if not isinstance(config, dict):
        raise bad_request("error decoding YAML: a configuration is an object")

    async def change(live: dict[str, Any] | None) -> Changed:
        new = await managers.applied(call, type, live, config)
        _check_place(new, call)
        return Changed(new, [], managed=True)

    async def create() -> Changed:
        changed = await change(None)
        uid = changed.value["metadata"].get("uid")
        if uid:
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise conflict(type.resource, call.target.name, why)
        return changed

    return Patching(change, None if call.target.subresource else create)


def _change(call: Call, type: ResourceType, kind: str) -> Change:
    try:
        value = shallow(orjson.loads(call.body), call.body)
    except orjson.JSONDecodeError:
        about = "" if kind == STRATEGIC else "error decoding patch: "
        raise bad_request(about + gojson.syntax_text(call.body)) from None
    apply = {JSON_PATCH: _json_patch, MERGE_PATCH: _merge_patch, STRATEGIC: _strategic}[kind]

    async def change(old: dict[str, Any]) -> Changed:
        try:
            new = apply(old, value, type)
        except DiagnosticError as error:
            raise _unfit(error) from None
        if not isinstance(new, dict):
            raise bad_request("the patch leaves no object")
        try:
            decoded = shaped(new, type, call, [])
        except ApiError as error:
            if kind == STRATEGIC and isinstance(error, Mismatch):
                error.message = error.restored
            raise _undecodable(plain(value) if kind == STRATEGIC else _json(new), error) from None
        _check_place(decoded.value, call)
        return Changed(decoded.value, decoded.warnings)

    return change


def _undecodable(shown: str, error: ApiError) -> ApiError:
    """What a patch leaves is no object of the kind: the patch, or what it leaves, and why."""
    before, strict, after = error.message.partition("strict decoding error")
    message = f"Invalid value: {quote(shown)}: {strict + after if strict else before}"
    return invalid(NO_KIND, "", [Cause(reason="FieldValueInvalid", message=message, field="patch")])


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _check_place(new: Mapping[str, Any], call: Call) -> None:
    """A patch leaves an object where it is."""
    found, target = new.get("metadata"), call.target
    metadata = found if isinstance(found, dict) else {}
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if namespace and target.namespace and namespace != target.namespace and target.plural != "namespaces":
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if not name:
        raise bad_request(
            f"the name of the object ({target.name} based on URL) was undeterminable: name must be provided"
        )
    if name != target.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({target.name})"
        )


def _json_patch(old: dict[str, Any], value: Any, type: ResourceType) -> Any:  # noqa: ARG001 - all have one form
    if not isinstance(value, list):
        what = "object" if isinstance(value, dict) else "string" if isinstance(value, str) else "number"
        why = f"json: cannot unmarshal {what} into Go value of type []handlers.jsonPatchOp"
        raise bad_request(f"error decoding patch: {why}")
    if len(value) > MAX_OPERATIONS:
        raise ApiError(
            413,
            "RequestEntityTooLarge",
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(value)}",
        )
    return patch.apply(old, value)


def _merge_patch(old: dict[str, Any], value: Any, type: ResourceType) -> Any:  # noqa: ARG001
    if not isinstance(value, dict):
        raise bad_request(f"error decoding patch: {_no_map(value)}")
    return patch.merge(old, value)


def _no_map(value: Any) -> str:
    given = "array" if isinstance(value, list) else "string" if isinstance(value, str) else "number"
    given = "bool" if isinstance(value, bool) else given
    return f"json: cannot unmarshal {given} into Go value of type map[string]interface {{}}"


def _strategic(old: dict[str, Any], value: Any, type: ResourceType) -> Any:
    if not isinstance(value, dict):
        raise bad_request(_no_map(value))
    return strategic_merge(old, value, type.schema())


def _unfit(error: DiagnosticError) -> ApiError:
    """A patch that cannot be applied, with the words and codes that the original has for it, and why."""
    if isinstance(error, PatchError) and error.text in FORM_TEXTS:
        return bad_request(error.text)
    if isinstance(error, PatchError) and error.text != LIST_OF_LISTS:
        return ApiError(500, "", error.text)
    message = "the server rejected our request due to an error in our request"
    told = "; ".join(row.message for row in error.diagnostics)
    return ApiError(422, "Invalid", f"{message}: {told}", {})
