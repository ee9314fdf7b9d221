"""From a method and a path to what is asked of which resource (apiserver's RequestInfo)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from sekisho.kube.review import NOBODY, UserInfo

VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a path names. ``resource`` is false for ``/healthz``, ``/api`` and their like."""

    path: str
    verb: str
    method: str = "GET"
    group: str = ""
    version: str = ""
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""
    resource: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, after it is known who asks: the target, its parameters, its headers and body.

    ``upgrade`` is what the connection is to become, with the protocols that the client offers for it.
    """

    target: Target
    query: Mapping[str, str] = field(default_factory=dict)
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    accept: str = ""
    content_type: str = ""
    user_agent: str = ""
    body: bytes = b""
    user: UserInfo = NOBODY
    upgrade: str = ""
    websocket_protocols: tuple[str, ...] = ()
    stream_protocols: tuple[str, ...] = ()

    def flag(self, name: str) -> bool:
        """Whether a parameter says true, as Go reads it."""
        return self.query.get(name, "") in ("1", "t", "T", "true", "True", "TRUE")


def target_of(method: str, path: str, query: Mapping[str, str]) -> Target:
    """What is asked. Segments are decoded one by one, so an encoded slash stays in its segment."""
    steps = [unquote(step) for step in path.strip("/").split("/")]
    lower = method.lower()
    plain = Target(path=path, verb=lower, method=method)
    match steps:
        case ["api", version, *rest] if rest and all(rest):
            group = ""
        case ["apis", group, version, *rest] if rest and all(rest):
            pass
        case _:
            return plain
    namespace = ""
    watching = rest[0] == "watch" and len(rest) > 1
    if watching:
        rest = rest[1:]
    if rest[0] == "namespaces" and len(rest) > 2 and not (len(rest) == 3 and rest[2] in _OF_NAMESPACES):
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource, more = *(*rest[:3], "", "", "")[:3], "/".join(rest[3:])
    verb = VERBS.get(method, "")
    if method in ("GET", "HEAD"):
        watch = watching or query.get("watch", "") in ("1", "true", "True")
        verb = "watch" if watch and not subresource else "get" if name and not watching else "list"
    elif verb == "delete" and not name:
        verb = "deletecollection"
    return Target(
        path=path,
        verb=verb,
        method=method,
        group=group,
        version=version,
        plural=plural,
        namespace=name if (plural, group) == ("namespaces", "") else namespace,
        name=name,
        subresource=subresource,
        rest=more,
        resource=True,
    )


_OF_NAMESPACES: Final = ("status", "finalize")
"""Subresources of Namespaces: ``namespaces/x/status`` is no resource in the namespace x."""
