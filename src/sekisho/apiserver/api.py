"""The API: from a call to an answer, without any transport. ``server`` puts it behind HTTPS.

What happens to a call, in order: the target is routed, authorised, decoded, and handed to the reader, the
writer or a subresource. Everything that fails in an expected way becomes a Status; what is not expected is
logged and told as an internal error that says nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import orjson

from sekisho.apiserver import status
from sekisho.apiserver.accounts import ACCOUNTS, NAMESPACES, Accounts
from sekisho.apiserver.acts import Acts
from sekisho.apiserver.admission import UNGUARDED, Admission, Asked, Guarding
from sekisho.apiserver.admission import Written as Settling
from sekisho.apiserver.answer import JSON, Answer, answer_of, json_answer
from sekisho.apiserver.audit import ALLOWED, AuditLog, note
from sekisho.apiserver.authenticate import Authentication
from sekisho.apiserver.authorize import NO_GUARD, AnyUser, Attributes, Authorizer, check
from sekisho.apiserver.authz import Aggregation, Escalation, Rbac
from sekisho.apiserver.authz.roles import CLUSTER_ROLES
from sekisho.apiserver.custom import KEY as DEFINITIONS
from sekisho.apiserver.custom import Definitions
from sekisho.apiserver.decode import decode, read_value
from sekisho.apiserver.deletion import options_of
from sekisho.apiserver.fields import FieldManager
from sekisho.apiserver.managed import Managers
from sekisho.apiserver.options import check_options, dry_run
from sekisho.apiserver.patches import patching
from sekisho.apiserver.paths import NO_PATH, Paths
from sekisho.apiserver.reads import Reader
from sekisho.apiserver.registry import Registry, built_in_registry
from sekisho.apiserver.represent import Form, form_of
from sekisho.apiserver.reviews import Reviews
from sekisho.apiserver.route import Call, Target
from sekisho.apiserver.runtime import PodRuntime
from sekisho.apiserver.scale import scale_change
from sekisho.apiserver.scaling import SCALE, scale_of
from sekisho.apiserver.status import ApiError
from sekisho.apiserver.store import Broken, Place, Store
from sekisho.apiserver.streaming import Streaming, connect_options, with_options
from sekisho.apiserver.traffic import Traffic
from sekisho.apiserver.types import ResourceType, Subresource
from sekisho.apiserver.views import PLAIN_VIEWS
from sekisho.apiserver.webhooks import Caller, WebhookClient
from sekisho.apiserver.writes import Changed, Creation, Writer, Written, place_of
from sekisho.kube.review import Operation

_LOG: Final = logging.getLogger(__name__)


class Api:
    """The API over a store. ``runtime`` is set by who runs Pods, ``audit`` by who keeps a log."""

    def __init__(
        self,
        store: Store,
        *,
        guarding: Guarding = UNGUARDED,
        managers: Managers | None = None,
        authorizer: Authorizer | None = None,
        caller: Caller | None = None,
        authentication: Authentication | None = None,
        host: str = "127.0.0.1:0",
    ) -> None:
        self.store = store
        self.traffic = Traffic()
        self.audit: AuditLog | None = None
        self.authorizer: Authorizer = authorizer or AnyUser()
        self._host = host
        self.registry = built_in_registry()
        self._reader = Reader(store)
        self._webhooks = WebhookClient(store)
        caller = caller or self._webhooks
        self.definitions = Definitions(store, caller, self._serve)
        self.admission = Admission(store, caller, lambda: self.registry, guarding)
        self.aggregation = Aggregation(store)
        self.accounts = Accounts(store)
        self._settle: Mapping[tuple[str, str], Callable[[], Awaitable[None]]] = {
            DEFINITIONS: self.definitions.settle,
            CLUSTER_ROLES: self.aggregation.settle,
            NAMESPACES: self.accounts.settle,
            ACCOUNTS: self.accounts.settle,
        }
        guard = Escalation(self.authorizer) if isinstance(self.authorizer, Rbac) else NO_GUARD
        self._managers = managers or FieldManager(lambda: self.registry)
        self.writer = Writer(store, self.admission, self._managers, guard)
        self._guarding = guarding
        guarding.begin(self)
        authentication = authentication or Authentication()
        self._acts = Acts(store, self.writer, authentication.accounts)
        self.runtime: PodRuntime | None = None
        self._streaming = Streaming(store, lambda: self.runtime)
        self._reviews = Reviews(lambda: self.authorizer, authentication)

    @property
    def registry(self) -> Registry:
        """The resources of the moment."""
        return self._registry

    @registry.setter
    def registry(self, registry: Registry) -> None:
        self._registry = registry
        self._paths = Paths(registry, self._host)

    def _serve(self, types: list[ResourceType]) -> None:
        self.registry = self.registry.with_types(types)

    async def settle(self, call: Call, type: ResourceType, name: str = "", namespace: str = "") -> None:
        """Let what follows from a write of an object, or of a collection, happen before it is answered."""
        if (settle := self._settle.get(type.key)) is not None:
            await settle()
        written = Settling(resource=type.key, namespace=namespace, name=name, user=call.user)
        await self._guarding.settle(written)

    async def close(self) -> None:
        """Stop what is under way. The store is closed by whoever opened it."""
        await self._guarding.end()
        await self.definitions.close()
        await self.admission.close()
        await self._webhooks.close()
        if self.audit is not None:
            self.audit.close()

    async def handle(self, call: Call) -> Answer:
        """The answer to a call; never raises but for a cancelled task."""
        with self.traffic:
            if self.audit is None:
                return await self._answer(call)
            with self.audit.about(call) as answers:
                answers.append(answer := await self._answer(call))
                return answer

    async def _answer(self, call: Call) -> Answer:
        try:
            await check(self.authorizer, Attributes.of(call))
            note(ALLOWED)
            if not call.target.resource:
                return self._paths.answer(call)
            return await self._resource(call)
        except ApiError as error:
            return answer_of(error)
        except Broken as error:
            return answer_of(status.internal(error.diagnostics[0].message))
        except Exception:  # noqa: BLE001 - the client is told that there was an error, the log which
            _LOG.exception("a request failed: %s %s", call.target.verb, call.target.path)
            return answer_of(status.internal("the request could not be answered"))

    # Resources.

    async def _resource(self, call: Call) -> Answer:
        target = call.target
        type = self.registry.find(target.group, target.version, target.plural)
        if type is None and not self.registry.serves(target.group):
            return NO_PATH
        if type is None:
            raise status.no_such_resource()
        if target.subresource:
            return await self._subresource(call, type)
        if target.verb not in type.verbs or target.verb in (OF_COLLECTIONS if target.name else OF_OBJECTS):
            raise status.method_not_allowed()
        if type.namespaced and target.name and not target.namespace:
            raise status.no_such_resource()
        if not type.warning:
            return await self._verb(call, type)
        try:
            answer = await self._verb(call, type)
        except ApiError as error:
            answer = answer_of(error)
        return replace(answer, warnings=(type.warning, *answer.warnings))

    async def _verb(self, call: Call, type: ResourceType) -> Answer:
        verb = call.target.verb
        if verb == "watch":
            form = form_of(call)
            lines = await self._reader.watch(call, type, form)
            return Answer(lines=lines)
        if verb == "list":
            return Answer(body=await self._reader.list(call, type, form_of(call)))
        if verb == "get":
            row = await self._reader.get(call, type)
            return Answer(body=form_of(call).object(type, row.load(), row.body))
        if verb == "delete":
            answer = await self.writer.delete(call, type, self._delete_options(call))
            await self.settle(call, type, call.target.name, call.target.namespace)
            return json_answer(answer)
        if verb == "deletecollection":
            try:
                return await self._delete_collection(call, type)
            finally:
                await self.settle(call, type)
        form = form_of(call)
        if self._reviews.answers(type):
            return await self._review(call, type, form)
        return await self._written(call, await self._write(call, type), type, form)

    async def _review(self, call: Call, type: ResourceType, form: Form) -> Answer:
        """A question is answered, and not stored."""
        decoded = decode(call, type)
        value = await self._reviews.answer(call, type, decoded.value)
        return Answer(code=201, body=form.object(type, value), warnings=tuple(decoded.warnings))

    async def _write(self, call: Call, type: ResourceType) -> Written:
        if call.target.verb == "patch":
            patch = patching(call, type, self._managers)
            create = None if patch.create is None else partial(self._apply_new, call, patch.create)
            return await self.writer.change(call, type, patch.change, create=create)
        check_options(call)
        decoded = decode(call, type)
        if call.target.verb == "create":
            written = await self.writer.create(call, type, decoded.value)
        else:
            written = await self._update(call, type, decoded.value)
        return Written(
            value=written.value, created=written.created, warnings=[*decoded.warnings, *written.warnings]
        )

    async def _update(self, call: Call, type: ResourceType, value: dict[str, Any]) -> Written:
        async def new() -> Changed:
            return Changed(value, [])

        created = type.creates and not call.target.subresource
        create = partial(self._apply_new, call, new) if created else None
        return await self.writer.update(call, type, value, create=create)

    async def _apply_new(self, call: Call, create: Creation) -> Changed:
        """What is written over nothing is created, by who may do that."""
        await check(self.authorizer, replace(Attributes.of(call), verb="create"))
        return await create()

    async def _written(self, call: Call, written: Written, type: ResourceType, form: Form) -> Answer:
        value = written.value
        if not dry_run(call):
            metadata = value["metadata"]
            place = Place(*type.key, metadata.get("namespace", ""), metadata["name"])
            await self.settle(call, type, place.name, place.namespace)
            row = self.store.get(place) if type.key in self._settle else None
            value = row.load() if row is not None else value
        return Answer(
            code=201 if written.created else 200,
            body=form.object(type, value),
            warnings=tuple(written.warnings),
        )

    async def _subresource(self, call: Call, type: ResourceType) -> Answer:
        found = type.subresources.get(call.target.subresource)
        if found is None:
            raise status.no_such_resource()
        if call.target.verb not in found.verbs:
            raise status.method_not_allowed()
        if call.target.verb == "create" and self._acts.find(found.name) is not None:
            return await self.act(call, type)
        stream = self._streaming.find(found.name)
        if stream is not None:
            if found.name != "log":
                call = await self._connect(call, type, found)
            return await stream(call)
        if found.name in PLAIN_VIEWS:
            form = form_of(call)
            if call.target.verb == "get":
                row = await self._reader.get(call, type)
                return Answer(body=form.object(type, row.load(), row.body))
            return await self._written(call, await self._write(call, type), type, form)
        if found.name == "scale" and type.scale is not None:
            return await self._scale(call, type)
        raise status.no_such_resource()

    async def _connect(self, call: Call, type: ResourceType, of: Subresource) -> Call:
        """Ask admission about a connection to a Pod: its object are the options. The call as it is to be."""
        assert of.kind is not None, "what is connected to has options of a kind"
        target = call.target
        asked = Asked(
            type=type,
            operation=Operation.CONNECT,
            object=connect_options(call, of.kind),
            name=target.name,
            namespace=target.namespace,
            subresource=of.name,
            kind=of.kind,
            user=call.user,
            namespace_object=self.writer.namespace_object(target.namespace),
        )
        before = asked.object
        await self.admission.mutate(asked)
        await self.admission.validate(asked)
        return call if asked.object is None or asked.object == before else with_options(call, asked.object)

    async def act(self, call: Call, type: ResourceType) -> Answer:
        """What is done by POST to a subresource that is an act. Raises ApiError."""
        act = self._acts.find(call.target.subresource)
        assert act is not None
        return await act(call, type)

    async def _scale(self, call: Call, type: ResourceType) -> Answer:
        form = form_of(call)
        if call.target.verb == "get":
            row = await self._reader.get(call, type)
            return Answer(body=form.object(SCALE, scale_of(type, row.load())))
        written = await self.writer.change(call, type, scale_change(call, type, self._managers))
        return Answer(
            body=form.object(SCALE, scale_of(type, written.value)), warnings=tuple(written.warnings)
        )

    def _delete_options(self, call: Call) -> dict[str, Any]:
        value = read_value(call.body, call.content_type)[0] if call.body else {}
        return options_of(value, call.query)

    async def _delete_collection(self, call: Call, type: ResourceType) -> Answer:
        """Delete what a list of the same request would show, and answer with that list."""
        options = self._delete_options(call)
        listed = orjson.loads(await self._reader.list(call, type, form_of(_plain(call))))
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
        return json_answer({**listed, "items": gone})


OF_COLLECTIONS: Final = frozenset({"create"})
"""Verbs that no path of an object has."""

OF_OBJECTS: Final = frozenset({"patch", "update"})
"""Verbs that no path of a collection has."""


def _plain(call: Call) -> Call:
    return replace(call, accept=JSON)


__all__ = ["Answer", "Api", "Target", "answer_of", "dry_run", "place_of"]
