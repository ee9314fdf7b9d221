"""The servers that are asked: ours in process, and a real one over HTTPS."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from sekisho.apiserver.admission import Guarding, default_plugins
from sekisho.apiserver.admission.pipeline import Plugin
from sekisho.apiserver.admission.plugins import ServiceAccounts
from sekisho.apiserver.api import Api
from sekisho.apiserver.cluster import bootstrap, open_store
from sekisho.apiserver.route import Call, target_of
from sekisho.apiserver.store import Store
from sekisho.kube.review import UserInfo
from tests.conformance.apiserver_diff.recording import AGENT, Answer, Ask

ADMIN = UserInfo(username="admin", groups=("system:masters", "system:authenticated"))


def _plugins(store: Store) -> tuple[Plugin, ...]:
    """As the real server was started: without service accounts, whose volumes have random names."""
    return tuple(row for row in default_plugins(store) if not isinstance(row, ServiceAccounts))


def _body(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode()


class Ours:
    """The embedded server over a store of its own."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._start(folder))

    async def _start(self, folder: Path) -> None:
        self._store = open_store(folder)
        self._api = Api(self._store, guarding=Guarding(plugins=_plugins))
        await bootstrap(self._api)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        async def stop() -> None:
            await self._api.close()
            await self._store.close()

        self._loop.run_until_complete(stop())
        self._loop.close()

    def ask(self, ask: Ask) -> Answer:
        """Its answer."""
        parts = urlsplit(ask.path)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        query = dict(reversed(pairs))
        repeated: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            repeated[name] = (*repeated.get(name, ()), value)
        call = Call(
            target=target_of(ask.method, parts.path, query),
            query=query,
            repeated=repeated,
            accept="application/json",
            content_type=ask.kind,
            user_agent=AGENT,
            body=ask.body.encode(),
            user=ADMIN,
        )
        found = self._loop.run_until_complete(self._api.handle(call))
        return Answer(code=found.code, body=_body(found.body), warnings=found.warnings)


class Real:
    """A server over HTTPS, asked by who has a token."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        context = ssl._create_unverified_context()
        self._link = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context)
        self._token = token

    def ask(self, ask: Ask) -> Answer:
        """Its answer."""
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json",
            "User-Agent": AGENT,
            **({"Content-Type": ask.kind} if ask.kind else {}),
        }
        self._link.request(ask.method, ask.path, ask.body.encode() or None, headers)
        answer = self._link.getresponse()
        data = answer.read()
        warnings = [value for name, value in answer.getheaders() if name.lower() == "warning"]
        return Answer(code=answer.status, body=_body(data), warnings=tuple(map(_text, warnings)))


def _text(warning: str) -> str:
    """The text of a Warning header."""
    quoted = warning.partition(" - ")[2]
    return str(json.loads(quoted))
