"""Calling the API of a cluster whose controllers run, without a transport."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.unit.apiserver import calling

from sekisho.apiserver.api import Api
from sekisho.apiserver.authenticate import Authentication
from sekisho.apiserver.cluster import bootstrap, built_in, open_store
from sekisho.apiserver.controllers import Controllers
from sekisho.apiserver.tokens import ServiceAccountTokens, key_of

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


class Client(calling.Client):
    """Calls the API, and can wait for the controllers."""

    def __init__(self, api: Api, controllers: Controllers) -> None:
        super().__init__(api)
        self.controllers = controllers

    async def settle(self) -> None:
        """Wait until the controllers have nothing left to do."""
        for _ in range(400):
            await asyncio.sleep(0.005)
            if self.controllers.idle:
                await asyncio.sleep(0.01)
                if self.controllers.idle:
                    return
        raise AssertionError("the controllers do not come to rest")


def run(folder: Path, work: Callable[[Client], Awaitable[Any]]) -> Any:
    """Do some work with a cluster in a folder."""

    async def main() -> Any:
        store = open_store(folder)
        accounts = ServiceAccountTokens(key_of(folder / "sa.key"), store.get)
        api = Api(store, authentication=Authentication(accounts=accounts))
        await bootstrap(api)
        controllers = Controllers(store, built_in(api, "CERTIFICATE"))
        await controllers.start()
        try:
            return await work(Client(api, controllers))
        finally:
            await controllers.stop()
            await api.close()
            await store.close()

    return asyncio.run(main())
