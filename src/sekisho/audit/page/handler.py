"""Who answers for the page: two paths, read only, with headers that let a browser do nothing but show it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sekisho.audit.page.model import Status
from sekisho.audit.page.render import render, style

POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: its own style sheet, and nothing else."""

HEADERS: Final = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)

FRESH: Final = 1.0
"""Seconds for which a page that was made is sent again: making one walks through all that was found."""

READS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent."""

    code: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Page:
    """Answers requests. ``source`` gives the status of the moment.

    ``hosts`` are the names under which the page may be asked for (with ports): a page of another site that
    has its own name lead here, as in DNS rebinding, is refused.
    """

    def __init__(self, source: Callable[[], Status], *, hosts: frozenset[str] = frozenset()) -> None:
        self._source = source
        self._hosts = hosts
        self._made: tuple[float, bytes] | None = None

    def answer(self, method: str, path: str, host: str = "") -> Answer:
        """The answer to a request."""
        # 1. Nothing can be changed here, so nothing but reading is answered.
        if method not in READS:
            return _plain(405, "this page can only be read", (("Allow", ", ".join(READS)),))
        # 2. Only who asks this server by a name of its own is answered.
        if self._hosts and host not in self._hosts:
            return _plain(421, "this page has another name")
        if path == "/":
            return _answer(200, "text/html; charset=utf-8", self._page(), method)
        if path == "/style.css":
            return _answer(200, "text/css; charset=utf-8", style(), method)
        return _plain(404, "there is nothing here; the page is at /")

    def _page(self) -> bytes:
        now = time.monotonic()
        if self._made is None or now - self._made[0] > FRESH:
            self._made = now, render(self._source()).encode("utf-8", "replace")
        return self._made[1]


def _answer(code: int, content_type: str, body: bytes, method: str) -> Answer:
    headers = (*HEADERS, ("Content-Type", content_type))
    return Answer(code=code, headers=headers, body=b"" if method == "HEAD" else body)


def _plain(code: int, text: str, more: tuple[tuple[str, str], ...] = ()) -> Answer:
    headers = (*HEADERS, ("Content-Type", "text/plain; charset=utf-8"), *more)
    return Answer(code=code, headers=headers, body=f"{text}\n".encode())
