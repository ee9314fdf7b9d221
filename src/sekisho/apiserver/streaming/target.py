"""Which Pod and which container a stream is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sekisho.apiserver import status
from sekisho.apiserver.route import Call
from sekisho.apiserver.store import Place, Store

Json = dict[str, Any]


def pod_of(store: Store, call: Call) -> Json:
    """The Pod of a call. Raises ApiError (404)."""
    row = store.get(Place("", "pods", call.target.namespace, call.target.name))
    if row is None:
        raise status.not_found(status.Resource(plural="pods"), call.target.name)
    return row.load()


def container_of(pod: Json, name: str) -> str:
    """The container that is meant; the only one where none is named. Raises ApiError (400)."""
    spec, title = pod["spec"], pod["metadata"]["name"]
    first = _names(spec, "containers")
    others = [*_names(spec, "initContainers"), *_names(spec, "ephemeralContainers")]
    if name:
        if name not in (*first, *others):
            raise status.bad_request(f"container {name} is not valid for pod {title}")
        return name
    if len(first) == 1:
        return first[0]
    text = f"a container name must be specified for pod {title}, choose one of: [{' '.join(first)}]"
    if spec.get("initContainers"):
        text += f" or one of the init containers: [{' '.join(_names(spec, 'initContainers'))}]"
    raise status.bad_request(text)


def _names(spec: Json, field: str) -> list[str]:
    rows: Iterable[Json] = spec.get(field) or ()
    return [str(row["name"]) for row in rows]


def check_placed(pod: Json) -> None:
    """Raise ApiError (400) for a Pod that is nowhere yet."""
    if not pod["spec"].get("nodeName"):
        raise status.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
