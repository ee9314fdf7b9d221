"""Bodies that are nested deeply."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.apiserver.calling import Client, run

from sekisho.apiserver.decode import MAX_DEPTH, read_value
from sekisho.apiserver.status import ApiError


@pytest.mark.parametrize("kind", ["application/json", "application/yaml"])
@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_body_that_is_nested_too_deeply_is_refused(kind: str, pair: tuple[bytes, bytes]) -> None:
    body = pair[0] * (MAX_DEPTH + 1) + b"1" + pair[1] * (MAX_DEPTH + 1)
    with pytest.raises(ApiError) as caught:
        read_value(body, kind)
    assert caught.value.code == 400


def test_many_brackets_are_no_depth() -> None:
    body = b"[" + b",".join([b"{}"] * 1000) + b"]"
    assert read_value(body, "application/json") == ([{}] * 1000, [])


@pytest.mark.parametrize("kind", ["merge-patch", "strategic-merge-patch", "json-patch"])
def test_a_patch_that_is_nested_too_deeply_is_refused(tmp_path: Path, kind: str) -> None:
    body = b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)
    path = "/api/v1/namespaces/default"

    async def work(call: Client) -> None:
        code, told = await call("PATCH", path, body, f"application/{kind}+json")
        assert (code, told["reason"]) == (400, "BadRequest")
        assert "nested" in told["message"]

    run(tmp_path, work)
