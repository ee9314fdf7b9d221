"""Calling the API without a transport."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sekisho.apiserver.answer import Answer
from sekisho.apiserver.api import Api
from sekisho.apiserver.cluster import begin, open_store
from sekisho.apiserver.route import Call, target_of
from sekisho.kube.review import NOBODY, UserInfo


class Client:
    """Calls the API as a client would."""

    def __init__(self, api: Api, user: UserInfo = NOBODY) -> None:
        self.api = api
        self.user = user

    def acting_as(self, user: UserInfo) -> Client:
        """The same API, asked by somebody."""
        return Client(self.api, user)

    async def raw(self, method: str, path: str, body: Any = None, kind: str = "", accept: str = "") -> Answer:
        path, _, text = path.partition("?")
        query = dict(row.partition("=")[::2] for row in text.split("&") if row)
        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.api.handle(
            Call(
                target=target_of(method, path, query),
                query=query,
                accept=accept,
                content_type=kind or "application/json",
                body=sent,
                user=self.user,
            )
        )

    async def __call__(self, method: str, path: str, body: Any = None, kind: str = "") -> tuple[int, Any]:
        answer = await self.raw(method, path, body, kind)
        text = answer.content_type.startswith("text/")
        return answer.code, answer.body.decode() if text else json.loads(answer.body)


def run(folder: Path, work: Callable[[Client], Awaitable[Any]], **settings: Any) -> Any:
    """Do some work with the API over the store of a folder. ``settings`` are those of ``Api``."""

    async def main() -> Any:
        store = open_store(folder)
        api = Api(store, **settings)
        await begin(api)
        try:
            return await work(Client(api))
        finally:
            await api.close()
            await store.close()

    return asyncio.run(main())
