"""uuid.*: random identifiers, the same for one key throughout a query, and what an identifier says."""

from __future__ import annotations

import re
import uuid
from typing import Final

from sekisho.rego.builtins import gate, operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.types import ANY, STRING, Function, Object
from sekisho.rego.values import UNDEFINED, Value

_DASHED: Final = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_FORM: Final = re.compile(rf"(?i:urn:uuid:)?({_DASHED})|.({_DASHED}).|([0-9a-fA-F]{{32}})", re.DOTALL)
_EPOCH: Final = 0x01B21DD213814000
"""Steps of 100 ns from 15 October 1582, where UUIDs count from, to 1970."""

_DOMAINS: Final = ("Person", "Group", "Org")
_CASTS: Final = ("global:unicast", "global:multicast", "local:unicast", "local:multicast")


def _random(context: EvalContext, name: Value) -> Value:
    return gate.once(
        context,
        "uuid.rfc4122",
        name,
        lambda: str(uuid.UUID(int=context.rng.getrandbits(128), version=4)),
    )


def _parse(text: Value) -> Value:
    """What a UUID says of itself (RFC 4122); undefined if it is none."""
    found = _FORM.fullmatch(operands.string(text, 1))
    if found is None:
        return UNDEFINED
    octets = bytes.fromhex(next(filter(None, found.groups())).replace("-", ""))
    version = octets[6] >> 4
    out: dict[str, Value] = {"version": version, "variant": _variant(octets[8])}
    if version in {1, 2}:
        low, middle, high = octets[0:4], octets[4:6], octets[6:8]
        steps = int.from_bytes(high) % 4096 << 48 | int.from_bytes(middle) << 32 | int.from_bytes(low)
        out["time"] = (steps - _EPOCH) * 100
        out["nodeid"] = octets[10:].hex("-")
        out["macvariables"] = _CASTS[octets[10] & 3]
        out["clocksequence"] = int.from_bytes(octets[8:10]) & 0x3FFF
        if version == 2:
            domain = octets[9]
            out["id"] = int.from_bytes(low)
            out["domain"] = _DOMAINS[domain] if domain < len(_DOMAINS) else f"Domain{domain}"
    return out


def _variant(octet: int) -> str:
    if octet & 0xC0 == 0x80:
        return "RFC4122"
    if octet & 0xE0 == 0xC0:
        return "Microsoft"
    return "Future" if octet & 0xE0 == 0xE0 else "Reserved"


row("uuid.parse", Function((STRING,), Object(dynamic=(STRING, ANY))), _parse)
row("uuid.rfc4122", Function((STRING,), STRING), _random, context=True, deterministic=False)
