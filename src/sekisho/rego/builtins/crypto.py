"""crypto.*: digests and message authentication codes, as lower-case hexadecimal text.

MD5 and SHA-1 are here because policies compare fingerprints with them, not because they are safe.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import partial
from typing import Final

from sekisho.lang.golang.gotext import to_octets
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.types import BOOLEAN, STRING, Function
from sekisho.rego.values import Value

_DIGESTS: Final = ("md5", "sha1", "sha256")
_MACS: Final = ("md5", "sha1", "sha256", "sha512")


def _octets(value: Value, position: int) -> bytes:
    return to_octets(operands.string(value, position))


def _digest(algorithm: str, context: EvalContext, text: Value) -> str:
    data = _octets(text, 1)
    context.meter.charge(len(data) >> 6)
    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


def _mac(algorithm: str, context: EvalContext, message: Value, secret: Value) -> str:
    data, key = _octets(message, 1), _octets(secret, 2)
    context.meter.charge(len(data) + len(key) >> 6)
    return hmac.new(key, data, algorithm).hexdigest()


def _equal(left: Value, right: Value) -> bool:
    return hmac.compare_digest(_octets(left, 1), _octets(right, 2))


def _register() -> None:
    one: Callable[..., Value]
    for algorithm in _DIGESTS:
        one = partial(_digest, algorithm)
        row(f"crypto.{algorithm}", Function((STRING,), STRING), one, context=True)
    for algorithm in _MACS:
        one = partial(_mac, algorithm)
        row(f"crypto.hmac.{algorithm}", Function((STRING, STRING), STRING), one, context=True)
    row("crypto.hmac.equal", Function((STRING, STRING), BOOLEAN), _equal)


_register()
