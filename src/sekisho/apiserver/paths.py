"""Paths that are no resource: discovery, OpenAPI, health, the version."""

from __future__ import annotations

from typing import Any, Final

import orjson

from sekisho.apiserver import discovery, status
from sekisho.apiserver.answer import JSON, PLAIN, Answer, json_answer
from sekisho.apiserver.openapi import Documents, second_version
from sekisho.apiserver.openapi.second import CONTENT_TYPE
from sekisho.apiserver.registry import Registry
from sekisho.apiserver.release import MINOR
from sekisho.apiserver.route import Call

FOR_GOOD: Final = {"Cache-Control": "public, immutable"}
"""What an answer says whose address changes when it does."""


NO_PATH: Final = Answer(code=404, body=b"404 page not found\n", content_type=PLAIN)
"""What is answered where nothing is served."""


class Paths:
    """Answers for one registry. ``host`` is where clients find the server."""

    def __init__(self, registry: Registry, host: str) -> None:
        self._registry = registry
        self._host = host
        self._documents = Documents(registry)

    def answer(self, call: Call) -> Answer:
        """The answer. Raises ApiError (404, 405)."""
        if call.target.method not in ("GET", "HEAD"):
            raise status.method_not_allowed()
        registry, steps = self._registry, call.target.path.strip("/").split("/")
        match steps:
            case ["healthz" | "livez" | "readyz", *_]:
                return Answer(body=b"ok", content_type=PLAIN)
            case ["version"]:
                return json_answer(version_info())
            case ["api"]:
                return self._discovery(call, discovery.core_versions(self._host), core=True)
            case ["apis"]:
                return self._discovery(call, discovery.group_list(registry), core=False)
            case ["api", version] if registry.has_group("", version):
                return json_answer(discovery.resource_list(registry, "", version))
            case ["apis", group] if group in registry.groups():
                return json_answer(discovery.group_of(registry, group, alone=True))
            case ["apis", group, version] if registry.has_group(group, version):
                return json_answer(discovery.resource_list(registry, group, version))
            case ["openapi", "v2"]:
                return Answer(body=second_version(), content_type=CONTENT_TYPE)
            case ["openapi", "v3"]:
                return json_answer(self._documents.index())
            case ["openapi", "v3", *rest]:
                return self._document(call, "/".join(rest))
            case ["api" | "apis", *_]:
                raise status.no_such_resource()
            case [""]:
                return json_answer({"paths": self._known()})
        return NO_PATH

    def _document(self, call: Call, path: str) -> Answer:
        body = self._documents.document(path)
        if body is None:
            raise status.no_such_resource()
        headers = FOR_GOOD if call.query.get("hash") else {}
        return Answer(body=body, content_type=JSON, headers=headers)

    def _discovery(self, call: Call, legacy: dict[str, Any], *, core: bool) -> Answer:
        version = discovery.aggregated_version(call.accept)
        if not version:
            return json_answer(legacy)
        body = discovery.aggregated(self._registry, version, core=core)
        content = f"{JSON};g={discovery.DISCOVERY};v={version};as=APIGroupDiscoveryList"
        return Answer(body=orjson.dumps(body), content_type=content)

    def _known(self) -> list[str]:
        """What there is, for people who begin at the root."""
        found = {"/api", "/apis", "/healthz", "/livez", "/readyz", "/openapi/v2", "/openapi/v3", "/version"}
        for group, versions in self._registry.groups().items():
            root = f"/apis/{group}" if group else "/api"
            found |= {root, *(f"{root}/{version}" for version in versions)}
        return sorted(found)


def version_info() -> dict[str, str]:
    """``/version``."""
    import platform

    from sekisho import __version__

    return {
        "major": "1",
        "minor": str(MINOR),
        "gitVersion": f"v1.{MINOR}.0+sekisho-{__version__}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "python",
        "platform": f"linux/{platform.machine()}",
    }
