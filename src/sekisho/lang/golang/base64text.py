"""Base64 as Go's encoding/base64 reads it: line ends are skipped, and what is wrong has a byte number."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang.gotext import to_octets

_STANDARD: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_URL: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def decode(text: str, *, url: bool = False) -> bytes:
    """The bytes of padded base64 (``url``: of its URL-safe alphabet).

    Raises BuiltinFault ``illegal base64 data at input byte N``, as Go counts N.
    """
    data = to_octets(text)
    bare = data.replace(b"\r", b"").replace(b"\n", b"")
    alphabet = _URL if url else _STANDARD
    body = bare.rstrip(b"=")
    if len(bare) % 4 == 0 and len(bare) - len(body) <= 2 and alphabet.issuperset(body):
        try:
            return base64.urlsafe_b64decode(bare) if url else base64.b64decode(bare)
        except binascii.Error:
            pass
    raise BuiltinFault(f"illegal base64 data at input byte {_stumble(data, alphabet)}")


def decode_unpadded(text: str, *, url: bool = False) -> bytes:
    """The bytes of base64 without padding (RawStdEncoding, RawURLEncoding). Raises as ``decode`` does."""
    data, alphabet = to_octets(text), _URL if url else _STANDARD
    bare = data.replace(b"\r", b"").replace(b"\n", b"")
    if alphabet.issuperset(bare) and len(bare) % 4 != 1:
        padded = bare + b"=" * (-len(bare) % 4)
        return base64.urlsafe_b64decode(padded) if url else base64.b64decode(padded)
    at = next((at for at, byte in enumerate(data) if byte not in alphabet and byte not in b"\r\n"), None)
    raise BuiltinFault(f"illegal base64 data at input byte {len(data) - 1 if at is None else at}")


def decode_url(text: str) -> bytes:
    """The bytes of URL-safe base64, padded or not (``base64url.decode``; RFC 7515, appendix C)."""
    if not text.endswith("="):
        size = len(to_octets(text)) % 4
        if size == 1:
            raise BuiltinFault(f"illegal base64url string: {text}")
        text += {0: "", 2: "==", 3: "="}[size]
    return decode(text, url=True)


def encode_url(data: bytes) -> str:
    """Unpadded URL-safe base64."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _stumble(data: bytes, alphabet: frozenset[int]) -> int:
    """The byte at which Go's decoder gives up: it reads groups of four characters."""
    at, filled, size = 0, 0, len(data)
    while at < size:
        byte = data[at]
        at += 1
        if byte in b"\r\n":
            continue
        if byte in alphabet:
            filled = (filled + 1) % 4
            continue
        if byte != ord("=") or filled < 2:
            return at - 1
        if filled == 2:
            while at < size and data[at] in b"\r\n":
                at += 1
            if at == size:
                return size
            if data[at] != ord("="):
                return at
            at += 1
        while at < size and data[at] in b"\r\n":
            at += 1
        return at
    return size - filled
