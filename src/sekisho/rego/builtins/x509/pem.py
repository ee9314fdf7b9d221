"""PEM blocks as Go's encoding/pem finds them in a text."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

_BEGIN: Final = b"-----BEGIN "
_END: Final = b"\n-----END "
_DASHES: Final = b"-----"


@dataclass(frozen=True, slots=True)
class Block:
    """One block: the type that its first line names, and its bytes."""

    type: str
    data: bytes


def decode(text: bytes) -> tuple[Block, bytes] | None:
    """The first well-formed block of a text, and what follows it; what stands before is skipped."""
    at = 0
    while (start := _line_start(text, at)) != -1:
        head_end = _line_end(text, start)
        head = text[start + len(_BEGIN) : head_end].rstrip(b" \t\r\n")
        if not head.endswith(_DASHES):
            at = head_end
            continue
        kind = head[: -len(_DASHES)]
        body = _after_headers(text, head_end)
        end = text.find(_END, body - 1)
        if end == -1:
            return None
        tail_end = _line_end(text, end + 1)
        tail = text[end + len(_END) : tail_end].rstrip(b" \t\r\n")
        data = _body(text[body : end + 1]) if tail == kind + _DASHES else None
        if data is not None:
            return Block(kind.decode("utf-8", "replace"), data), text[tail_end:]
        at = end + len(_END)
    return None


def blocks(text: bytes) -> list[Block]:
    """All blocks of a text."""
    out: list[Block] = []
    while found := decode(text):
        out.append(found[0])
        text = found[1]
    return out


def encode(kind: str, data: bytes) -> str:
    """A block as text."""
    body = base64.b64encode(data).decode("ascii")
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


def _line_start(text: bytes, at: int) -> int:
    if at == 0 and text.startswith(_BEGIN):
        return 0
    found = text.find(b"\n" + _BEGIN, max(at - 1, 0))
    return found + 1 if found != -1 else -1


def _line_end(text: bytes, at: int) -> int:
    found = text.find(b"\n", at)
    return found + 1 if found != -1 else len(text)


def _after_headers(text: bytes, at: int) -> int:
    while at < len(text):
        end = _line_end(text, at)
        if b":" not in text[at:end]:
            break
        at = end
    return at


def _body(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text.translate(None, b" \t\r\n"), validate=True)
    except binascii.Error:
        return None
