"""The scale subresource: what a PUT or PATCH of a Scale does to the object behind it."""

from __future__ import annotations

from typing import Any

from sekisho.apiserver import status
from sekisho.apiserver.decode import decode
from sekisho.apiserver.managed import Managers
from sekisho.apiserver.patches import patching
from sekisho.apiserver.route import Call
from sekisho.apiserver.scaling import SCALE, scale_of, with_scale
from sekisho.apiserver.structs import compact
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.writes import Change, Changed


def scale_change(call: Call, type: ResourceType, managers: Managers) -> Change:
    """What a PUT or PATCH of the Scale does to the object. Raises ApiError."""
    if call.target.verb == "patch":
        change = patching(call, SCALE, managers).change
    else:
        sent = decode(call, SCALE)
        if sent.value["metadata"].get("name") != call.target.name:
            raise status.bad_request(
                f"the name of the object ({sent.value['metadata'].get('name', '')}) does not match the name "
                "on the "
                f"URL ({call.target.name})"
            )

        async def change(old: dict[str, Any]) -> Changed:  # noqa: ARG001 - it is replaced
            return Changed(sent.value, sent.warnings)

    async def scaled(old: dict[str, Any]) -> Changed:
        before, rows = scale_of(type, old), old["metadata"].get("managedFields")
        before["metadata"]["managedFields"] = managers.of_scale(type, rows)
        changed = await change(before)
        scale = compact(changed.value, SCALE.schema())
        if not changed.managed:
            scale = await managers.updated(call, SCALE, scale, before)
        new = with_scale(type, old, scale)
        new["metadata"]["managedFields"] = managers.of_scaled(
            type, rows, scale["metadata"].get("managedFields")
        )
        return Changed(new, changed.warnings, managed=True)

    return scaled
