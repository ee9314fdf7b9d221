"""Names and identities that the server makes up."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from typing import Final

ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names: without vowels nothing rude comes out (apimachinery ``util/rand``)."""

LENGTH: Final = 5
MAX_BASE: Final = 58
"""Letters of ``generateName`` that are kept, so that the whole fits into a label of 63."""


def generated(base: str) -> str:
    """A name that begins like ``generateName``."""
    return base[:MAX_BASE] + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def new_uid() -> str:
    """A uid."""
    return str(uuid.uuid4())


def timestamp(moment: datetime | None = None) -> str:
    """A moment as the API writes it, in whole seconds; now by default."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
