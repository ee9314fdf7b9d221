"""Records as the lines of a hash chain."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from sekisho.admission.service import Observed
from sekisho.kube.review.record import record_of as review_record

QUOTED: Final = "v1/Secret"
"""The kind of which a record has no messages: a policy may quote what it refuses."""

FIRST: Final = "0" * 64
"""What stands for the hash before the first line."""

NUMBER, BEFORE, HASH, LOST, RECORD = "n", "before", "hash", "lost", "record"
"""The fields of a line: its number, the hash of the one before, its own, how many records are missing before
it, and what it says.
"""


class Head(NamedTuple):
    """The end of a chain: the number of the last line, and its hash."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def of(cls, text: str) -> Head:
        """What ``str`` gave. Raises ValueError."""
        number, _, digest = text.partition(":")
        if not re.fullmatch(r"-1|[0-9]{1,18}", number) or len(digest) != len(FIRST):
            message = f"{text[:80]!r} is no head: it reads NUMBER:HASH"
            raise ValueError(message)
        return cls(int(number), digest)


NOTHING: Final = Head(-1, FIRST)
"""The end of a chain without lines."""


class Chain:
    """Makes lines. ``head`` is that of the last one."""

    def __init__(self) -> None:
        self.head = NOTHING

    def line(self, record: Mapping[str, Any], *, lost: int = 0) -> bytes:
        """The next line."""
        number = self.head.number + 1
        content: dict[str, Any] = {NUMBER: number, BEFORE: self.head.hash, RECORD: record}
        if lost:
            content[LOST] = lost
        digest = hash_of(content)
        self.head = Head(number, digest)
        return orjson.dumps({**content, HASH: digest}) + b"\n"


def hash_of(content: Mapping[str, Any]) -> str:
    """The hash of a line without its own."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def record_of(observed: Observed) -> dict[str, Any]:
    """What the log keeps of an answer."""
    snapshots = {"policy": observed.snapshot} if observed.snapshot else {}
    record = review_record(observed.request, observed.answer.verdict, observed.at, snapshots).to_json()
    if record["kind"] == QUOTED:
        record["findings"] = [{**row, "message": ""} for row in record["findings"]]
        record["failures"] = [row.partition(":")[0] for row in record["failures"]]
    return {"webhook": observed.hook.webhook, "seconds": round(observed.seconds, 6), **record}
