"""Discovery: which groups, versions and resources there are, in the three forms that clients ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sekisho.apiserver.registry import Registry
from sekisho.apiserver.types import ResourceType, Subresource

AGGREGATED: Final = ("v2", "v2beta1")
DISCOVERY: Final = "apidiscovery.k8s.io"


def aggregated_version(accept: str) -> str:
    """Which aggregated form a client accepts first, empty for none."""
    for clause in accept.split(","):
        parts = dict(part.strip().partition("=")[::2] for part in clause.split(";")[1:])
        if parts.get("as") == "APIGroupDiscoveryList" and parts.get("g") == DISCOVERY:
            version = parts.get("v", "")
            if version in AGGREGATED:
                return version
    return ""


def aggregated(registry: Registry, version: str, *, core: bool) -> dict[str, Any]:
    """APIGroupDiscoveryList of the core group, or of all others."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"{DISCOVERY}/{version}",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": group, "creationTimestamp": None}
                if group
                else {"creationTimestamp": None},
                "versions": [
                    {
                        "version": row,
                        "resources": [_discovered(type) for type in registry.of(group, row)],
                        "freshness": "Current",
                    }
                    for row in versions
                ],
            }
            for group, versions in sorted(registry.groups().items())
            if (group == "") is core
        ],
    }


def _discovered(type: ResourceType) -> dict[str, Any]:
    out: dict[str, Any] = {
        "resource": type.plural,
        "responseKind": _kind(type.gvk),
        "scope": "Namespaced" if type.namespaced else "Cluster",
        "singularResource": type.singular,
        "verbs": list(type.verbs),
    }
    if type.short_names:
        out["shortNames"] = list(type.short_names)
    if type.categories:
        out["categories"] = list(type.categories)
    if type.subresources:
        out["subresources"] = [
            {
                "subresource": row.name,
                "responseKind": _kind(row.kind or type.gvk),
                "verbs": list(row.verbs),
            }
            for row in sorted(type.subresources.values(), key=lambda row: row.name)
        ]
    return out


def _kind(gvk: Any) -> dict[str, str]:
    return {"group": gvk.group, "version": gvk.version, "kind": gvk.kind}


def core_versions(host: str) -> dict[str, Any]:
    """``/api``."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
    }


def group_list(registry: Registry) -> dict[str, Any]:
    """``/apis``."""
    groups = [group_of(registry, group) for group in sorted(registry.groups()) if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group_of(registry: Registry, group: str, *, alone: bool = False) -> dict[str, Any]:
    """``/apis/GROUP``, or its row in ``/apis``."""
    rows = [{"groupVersion": f"{group}/{row}", "version": row} for row in registry.groups()[group]]
    head = {"kind": "APIGroup", "apiVersion": "v1"} if alone else {}
    return {**head, "name": group, "versions": rows, "preferredVersion": rows[0]}


def resource_list(registry: Registry, group: str, version: str) -> dict[str, Any]:
    """``/api/v1`` and ``/apis/GROUP/VERSION``."""
    rows = [row for type in registry.of(group, version) for row in _resources(type)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": rows,
    }


def _resources(type: ResourceType) -> Iterator[dict[str, Any]]:
    out: dict[str, Any] = {
        "name": type.plural,
        "singularName": type.singular,
        "namespaced": type.namespaced,
        "kind": type.kind,
        "verbs": list(type.verbs),
    }
    if type.short_names:
        out["shortNames"] = list(type.short_names)
    if type.categories:
        out["categories"] = list(type.categories)
    yield out
    for row in sorted(type.subresources.values(), key=lambda row: row.name):
        yield _subresource(type, row)


def _subresource(type: ResourceType, row: Subresource) -> dict[str, Any]:
    gvk = row.kind or type.gvk
    out: dict[str, Any] = {
        "name": f"{type.plural}/{row.name}",
        "singularName": "",
        "namespaced": type.namespaced,
        "kind": gvk.kind,
        "verbs": list(row.verbs),
    }
    if row.kind is not None:
        out |= {"group": gvk.group, "version": gvk.version}
    return out
