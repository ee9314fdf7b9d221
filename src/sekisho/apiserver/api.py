"""The API: from a call to an answer, without any transport. ``server`` puts it behind HTTPS.

What happens to a call, in order: the target is routed, authorised, decoded, and handed to the reader, the
writer or a subresource. Everything that fails in an expected way becomes a Status; what is not expected is
logged and told as an internal error that says nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from sekisho.apiserver import discovery, status
from sekisho.apiserver.admission import Admission, Chain
from sekisho.apiserver.builtin import MINOR
from sekisho.apiserver.decode import decode, read_value
from sekisho.apiserver.managed import NO_MANAGERS, Managers
from sekisho.apiserver.patches import change_of
from sekisho.apiserver.reads import Reader
from sekisho.apiserver.registry import Registry, built_in_registry
from sekisho.apiserver.represent import Form, form_of
from sekisho.apiserver.route import Call, Target
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Broken, Place, Store
from sekisho.apiserver.types import ResourceType
from sekisho.apiserver.writes import Writer, Written, dry_run, place_of

_LOG: Final = logging.getLogger(__name__)

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back: a body, or the lines of a stream."""

    code: int = 200
    body: bytes = b""
    content_type: str = JSON
    lines: AsyncIterator[bytes] | None = None
    warnings: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class Authorizer:
    """Who may do what. This one lets everybody do everything."""

    async def check(self, call: Call) -> None:
        """Raise ApiError (403) for what is not allowed."""


Handler = Callable[[Call, ResourceType], Any]


class Api:
    """The API over a store."""

    def __init__(
        self,
        store: Store,
        *,
        admission: Admission | None = None,
        managers: Managers = NO_MANAGERS,
        authorizer: Authorizer | None = None,
        host: str = "127.0.0.1:0",
    ) -> None:
        self.store = store
        self.registry: Registry = built_in_registry()
        self.admission: Admission = admission or Chain()
        self.host = host
        self._authorizer = authorizer or Authorizer()
        self._reader = Reader(store)
        self.writer = Writer(store, lambda: self.registry, lambda: self.admission, managers)

    async def handle(self, call: Call) -> Answer:
        """The answer to a call; never raises but for a cancelled task."""
        try:
            await self._authorizer.check(call)
            if not call.target.resource:
                return self._other(call)
            return await self._resource(call)
        except ApiError as error:
            return answer_of(error)
        except Broken as error:
            return answer_of(status.internal(error.diagnostics[0].message))
        except Exception:  # noqa: BLE001 - the client is told that there was an error, the log which
            _LOG.exception("a request failed: %s %s", call.target.verb, call.target.path)
            return answer_of(status.internal("the request could not be answered"))

    # Paths that are no resource.

    def _other(self, call: Call) -> Answer:
        steps = call.target.path.strip("/").split("/")
        match steps:
            case ["healthz" | "livez" | "readyz", *_]:
                return Answer(body=b"ok", content_type="text/plain; charset=utf-8")
            case ["version"]:
                return _json(version_info())
            case ["api"]:
                return self._discovery(call, discovery.core_versions(self.host), core=True)
            case ["apis"]:
                return self._discovery(call, discovery.group_list(self.registry), core=False)
            case ["api", version] if self.registry.has_group("", version):
                return _json(discovery.resource_list(self.registry, "", version))
            case ["apis", group] if group in self.registry.groups():
                return _json(discovery.group_of(self.registry, group, alone=True))
            case ["apis", group, version] if self.registry.has_group(group, version):
                return _json(discovery.resource_list(self.registry, group, version))
            case ["api" | "apis", *_]:
                raise status.no_such_resource()
        return Answer(code=404, body=b"404 page not found\n", content_type="text/plain; charset=utf-8")

    def _discovery(self, call: Call, legacy: dict[str, Any], *, core: bool) -> Answer:
        version = discovery.aggregated_version(call.accept)
        if not version:
            return _json(legacy)
        body = discovery.aggregated(self.registry, version, core=core)
        content = f"{JSON};g={discovery.DISCOVERY};v={version};as=APIGroupDiscoveryList"
        return Answer(body=orjson.dumps(body), content_type=content)

    # Resources.

    async def _resource(self, call: Call) -> Answer:
        target = call.target
        type = self.registry.find(target.group, target.version, target.plural)
        if type is None:
            raise status.no_such_resource()
        if target.subresource:
            return await self._subresource(call, type)
        if target.verb not in type.verbs:
            raise status.method_not_allowed(type.resource, target.verb)
        if type.namespaced and target.name and not target.namespace:
            raise status.no_such_resource()
        return await self._verb(call, type)

    async def _verb(self, call: Call, type: ResourceType) -> Answer:
        verb = call.target.verb
        if verb == "watch":
            form = form_of(call)
            lines = await self._reader.watch(call, type, form)
            return Answer(lines=lines)
        if verb == "list":
            return Answer(body=self._reader.list(call, type, form_of(call)))
        if verb == "get":
            row = self._reader.get(call, type)
            return Answer(body=form_of(call).object(type, row.load(), row.body))
        if verb == "delete":
            return _json(await self.writer.delete(call, type, self._delete_options(call)))
        if verb == "deletecollection":
            return await self._delete_collection(call, type)
        form = form_of(call)
        return self._written(await self._write(call, type), type, form)

    async def _write(self, call: Call, type: ResourceType) -> Written:
        if call.target.verb == "patch":
            return await self.writer.change(call, type, change_of(call, type))
        decoded = decode(call, type)
        write = self.writer.create if call.target.verb == "create" else self.writer.update
        written = await write(call, type, decoded.value)
        return Written(
            value=written.value, created=written.created, warnings=[*decoded.warnings, *written.warnings]
        )

    def _written(self, written: Written, type: ResourceType, form: Form) -> Answer:
        return Answer(
            code=201 if written.created else 200,
            body=form.object(type, written.value),
            warnings=tuple(written.warnings),
        )

    async def _subresource(self, call: Call, type: ResourceType) -> Answer:
        found = type.subresources.get(call.target.subresource)
        if found is None:
            raise status.no_such_resource()
        if call.target.verb not in found.verbs:
            raise status.method_not_allowed(type.resource, call.target.verb)
        if found.name in ("status", "finalize", "approval"):
            form = form_of(call)
            if call.target.verb == "get":
                row = self._reader.get(call, type)
                return Answer(body=form.object(type, row.load(), row.body))
            return self._written(await self._write(call, type), type, form)
        raise status.no_such_resource()

    def _delete_options(self, call: Call) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if call.body:
            value, _ = read_value(call.body, call.content_type)
            if not isinstance(value, dict):
                raise status.bad_request("the body must be DeleteOptions")
            options = value
        for name in ("propagationPolicy", "gracePeriodSeconds"):
            if name in call.query and name not in options:
                text = call.query[name]
                options[name] = int(text) if name == "gracePeriodSeconds" and text.isdigit() else text
        return options

    async def _delete_collection(self, call: Call, type: ResourceType) -> Answer:
        """Delete what a list of the same request would show, and answer with that list."""
        options = self._delete_options(call)
        listed = orjson.loads(self._reader.list(call, type, form_of(_plain(call))))
        gone: list[Any] = []
        for item in listed["items"]:
            metadata = item["metadata"]
            place = Place(*type.key, metadata.get("namespace", ""), metadata["name"])
            try:
                await self.writer.delete(call, type, options, place=place)
            except ApiError as error:
                if error.code != 404:
                    raise
            gone.append(item)
        return _json({**listed, "items": gone})


def _plain(call: Call) -> Call:
    from dataclasses import replace

    return replace(call, accept=JSON)


def _json(value: Any) -> Answer:
    return Answer(body=orjson.dumps(value))


def answer_of(error: ApiError) -> Answer:
    """An error as an answer."""
    seconds = error.details.get("retryAfterSeconds")
    headers = {"Retry-After": str(seconds)} if seconds else {}
    return Answer(code=error.code, body=orjson.dumps(error.to_json()), headers=headers)


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


__all__ = ["Answer", "Api", "Authorizer", "Target", "answer_of", "dry_run", "place_of", "version_info"]
