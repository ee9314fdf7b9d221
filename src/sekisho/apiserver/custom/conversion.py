"""Between the versions of a custom resource: the apiVersion alone, or what a webhook makes of the objects.

Of what a webhook answers only labels and annotations, and what is not metadata, are taken; everything else of
the metadata stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sekisho.apiserver import names, status
from sekisho.apiserver.custom.definition import Definition
from sekisho.apiserver.webhooks import Caller, Refused

SECONDS: Final = 30.0
"""How long a conversion may take (kube-apiserver's timeout for conversion webhooks)."""

GROUP: Final = "apiextensions.k8s.io"
_FROM_WEBHOOK: Final = ("labels", "annotations")
_SAME: Final = ("name", "namespace", "uid")


async def convert(
    definition: Definition, objects: Sequence[dict[str, Any]], version: str, caller: Caller
) -> list[dict[str, Any]]:
    """The objects in a version. Raises ApiError (500) where a webhook cannot, or says what is wrong."""
    api_version = f"{definition.group}/{version}"
    if definition.webhook is None:
        return [{**row, "apiVersion": api_version} for row in objects]
    todo = [row for row in objects if row.get("apiVersion") != api_version]
    if not todo:
        return list(objects)
    made = iter(await _ask(definition, todo, api_version, caller))
    return [row if row.get("apiVersion") == api_version else next(made) for row in objects]


async def _ask(
    definition: Definition, objects: Sequence[dict[str, Any]], api_version: str, caller: Caller
) -> list[dict[str, Any]]:
    hook = definition.webhook
    assert hook is not None, "asked only where there is one"
    kind = definition.accepted.kind or definition.names.kind
    gv = str(objects[0].get("apiVersion", ""))
    what = f"conversion webhook for {gv}, Kind={kind}"
    review = next((row for row in hook.reviews if row in ("v1", "v1beta1")), "v1")
    uid = names.new_uid()
    request = {"uid": uid, "desiredAPIVersion": api_version, "objects": list(objects)}
    body = {"kind": "ConversionReview", "apiVersion": f"{GROUP}/{review}", "request": request}
    try:
        answer = await caller.post(hook.client, body, seconds=SECONDS)
        converted = _converted(answer, uid, review)
    except Refused as refused:
        raise _failed(f"{what} failed: {refused.message}") from None
    if len(converted) != len(objects):
        raise _failed(f"{what} returned {len(converted)} objects, expected {len(objects)}")
    return [
        _checked(old, new, api_version, f"{what} returned invalid converted object at index {index}: ")
        for index, (old, new) in enumerate(zip(objects, converted, strict=True))
    ]


def _failed(message: str) -> status.ApiError:
    return status.internal(message)


def _converted(answer: Any, uid: str, review: str) -> list[Any]:
    """The objects in an answer. Raises Refused."""
    response = answer.get("response") if isinstance(answer, Mapping) else None
    if not isinstance(response, Mapping):
        raise Refused("no response provided")
    if review == "v1":
        given = (answer.get("apiVersion"), answer.get("kind"))
        if given != (f"{GROUP}/v1", "ConversionReview"):
            raise Refused(
                f"expected webhook response of {GROUP}/v1, Kind=ConversionReview, got {given[0]}, {given[1]}"
            )
        if response.get("uid") != uid:
            raise Refused(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')
    result = response.get("result")
    result = result if isinstance(result, Mapping) else {}
    if result.get("status") != "Success":
        told = (
            result.get("message") or f"response.result.status was '{result.get('status', '')}', not 'Success'"
        )
        raise Refused(str(told))
    objects = response.get("convertedObjects")
    return objects if isinstance(objects, list) else []


def _checked(old: dict[str, Any], new: Any, api_version: str, what: str) -> dict[str, Any]:
    """A converted object with the metadata that no webhook may change. Raises ApiError (500)."""
    if not isinstance(new, dict):
        raise _failed(f"{what}it is no object")
    if new.get("apiVersion") != api_version:
        text = f"invalid groupVersion (expected {api_version}, received {new.get('apiVersion', '')})"
        raise _failed(what + text)
    if new.get("kind") != old.get("kind"):
        text = f"invalid kind (expected {old.get('kind')}, received {new.get('kind', '')})"
        raise _failed(what + text)
    metadata = new.get("metadata")
    if not isinstance(metadata, dict):
        raise _failed(f"{what}missing metadata in converted object")
    before = old["metadata"]
    for field in _SAME:
        if metadata.get(field, "") != before.get(field, ""):
            label = "UID" if field == "uid" else field
            text = f"must have the same {label}: {before.get(field, '')} != {metadata.get(field, '')}"
            raise _failed(what + text)
    kept = {key: value for key, value in before.items() if key not in _FROM_WEBHOOK}
    for field in _FROM_WEBHOOK:
        rows = metadata.get(field)
        if rows is None:
            continue
        if not isinstance(rows, dict) or not all(isinstance(row, str) for row in rows.values()):
            raise _failed(f"{what}invalid metadata.{field} in converted object")
        kept[field] = rows
    return {**new, "metadata": kept}
