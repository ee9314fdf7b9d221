"""Names and identities that the server makes up."""

from __future__ import annotations

import os
import threading
import uuid
from datetime import UTC, datetime
from typing import Final

ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names: without vowels nothing rude comes out (apimachinery ``util/rand``)."""

LENGTH: Final = 5
MAX_BASE: Final = 58
"""Letters of ``generateName`` that are kept, so that the whole fits into a label of 63."""


POOL: Final = 8192
"""Bytes of randomness that are asked of the system at a time, which is slow: a uid takes sixteen."""


class _Pool:
    """Random bytes of the system, each handed out once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        with self._lock:
            if self._at + count > len(self._left):
                self._left, self._at = os.urandom(POOL), 0
            self._at += count
            return self._left[self._at - count : self._at]


_pool: Final = _Pool()
_EVEN: Final = 256 - 256 % len(ALPHABET)
"""Bytes from here on would make some letters likelier than others."""


def generated(base: str) -> str:
    """A name that begins like ``generateName``."""
    letters = ""
    while len(letters) < LENGTH:
        letters += "".join(ALPHABET[byte % len(ALPHABET)] for byte in _pool.take(LENGTH) if byte < _EVEN)
    return base[:MAX_BASE] + letters[:LENGTH]


def new_uid() -> str:
    """A uid."""
    return str(uuid.UUID(bytes=_pool.take(16), version=4))


def timestamp(moment: datetime | None = None) -> str:
    """A moment as the API writes it, in whole seconds; now by default."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
