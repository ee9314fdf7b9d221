"""Answers, before any transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from sekisho.apiserver.status import ApiError
from sekisho.web.pipe import Upgrade

JSON: Final = "application/json"
PLAIN: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back: a body, the lines of a stream, or what the connection becomes."""

    code: int = 200
    body: bytes = b""
    content_type: str = JSON
    lines: AsyncIterator[bytes] | None = None
    warnings: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    upgrade: Upgrade | None = None


def json_answer(value: Any, code: int = 200) -> Answer:
    """A value as JSON."""
    return Answer(code=code, body=orjson.dumps(value))


def answer_of(error: ApiError) -> Answer:
    """An error as an answer."""
    seconds = (error.details or {}).get("retryAfterSeconds")
    headers = {"Retry-After": str(seconds)} if seconds else {}
    return Answer(code=error.code, body=orjson.dumps(error.to_json()), headers=headers)
