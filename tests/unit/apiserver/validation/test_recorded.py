"""What is refused, in the words of a real kube-apiserver; ``tools/record_validation.py`` recorded them.

A case with ``differs`` gives the reason why ours says something else; its field and reason are the same.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.apiserver.calling import Client

from sekisho.apiserver.api import Api
from sekisho.apiserver.cluster import bootstrap, open_store

HERE = Path(__file__).parent
RECORDED = json.loads(gzip.decompress((HERE / "recorded.json.gz").read_bytes()))
TOLD = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))

POINTER = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=Bad_)[a-z0-9]{5}")
"""Addresses, uids and generated names, which are others each time."""


def label(index: int) -> str:
    case = TOLD["cases"][index]
    return f"{case['base']}-{index}"


def load_tool() -> Any:
    import importlib

    return importlib.import_module("record_validation")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """What ours says to every case, in one cluster."""
    tool = load_tool()

    async def work() -> list[list[Any]]:
        store = open_store(tmp_path_factory.mktemp("cluster"))
        api = Api(store)
        await bootstrap(api)
        client = Client(api)
        found = []
        try:
            for number, case in enumerate(TOLD["cases"]):
                found.append(await play(client, case, number))
        finally:
            await api.close()
            await store.close()
        return found

    async def play(client: Client, case: dict[str, Any], number: int) -> list[Any]:
        """``record_validation.play``, without a network."""
        steps = tool.play_steps(TOLD["bases"], case, number)
        request = next(steps)
        while True:
            answer = await client(*request)
            try:
                request = steps.send(answer)
            except StopIteration as end:
                result: list[Any] = end.value
                return result

    return asyncio.run(work())


def plain(text: str) -> str:
    return POINTER.sub("…", text)


@pytest.mark.parametrize("index", range(len(TOLD["cases"])), ids=label)
def test_a_case(said: list[list[Any]], index: int) -> None:
    case, want, got = TOLD["cases"][index], RECORDED["rows"][index], said[index]
    if "differs" in case:
        assert (got[0], _places(got)) == (want[0], _places(want))
        assert plain(got[1]) != plain(want[1]), "it does not differ any more"
        return
    assert (got[0], plain(got[1])) == (want[0], plain(want[1]))
    assert json.loads(plain(json.dumps(got[2]))) == json.loads(plain(json.dumps(want[2])))


def _places(row: list[Any]) -> list[tuple[str, str]]:
    return [(cause["reason"], cause.get("field", "")) for cause in row[2]]
