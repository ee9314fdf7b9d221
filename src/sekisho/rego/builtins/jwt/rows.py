"""io.jwt.*: decode, verify and sign JSON Web Tokens (RFC 7519).

``decode_verify`` follows RFC 7519, section 7.2, step by step. What a token says of itself (``alg``, ``kid``)
only chooses among the keys that the policy trusts; it never makes a key trusted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.lang.golang import base64text, gotext
from sekisho.lang.golang.gotext import to_octets
from sekisho.rego import jsontext
from sekisho.rego.builtins import gate, operands
from sekisho.rego.builtins.jwt import jws
from sekisho.rego.builtins.table import row
from sekisho.rego.builtins.x509 import jwk
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import ANY, BOOLEAN, STRING, Array, Function, Object
from sekisho.rego.values import Number, Value, compare, is_number

SIZE: Final = Limit("a token", 1_000_000, "characters", "tokens travel in headers of some kilobytes")

UNVERIFIED: Final[tuple[Value, ...]] = (False, {}, {})


@dataclass(frozen=True, slots=True)
class Token:
    """The three sections of a token, as they were sent."""

    header: str
    payload: str
    signature: str

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return to_octets(f"{self.header}.{self.payload}")

    def decoded_signature(self) -> bytes:
        """The signature's bytes."""
        return base64text.decode_url(self.signature)

    def decoded_header(self) -> dict[str, Value]:
        """The header. Raises BuiltinFault where it is none, or that of an encrypted token."""
        try:
            text = base64text.decode_url(self.header).decode("utf-8", "replace")
        except BuiltinFault as fault:
            raise BuiltinFault(f"JWT header had invalid encoding: {fault}") from None
        try:
            header = _json_object(text)
        except BuiltinFault as fault:
            raise BuiltinFault(f"bad JWT header: {fault}") from None
        if "enc" in header:
            raise BuiltinFault("JWT is a JWE object, which is not supported")
        return header

    def decoded_payload(self) -> str:
        """The payload's text."""
        try:
            return base64text.decode_url(self.payload).decode("utf-8", "replace")
        except BuiltinFault as fault:
            raise BuiltinFault(f"JWT payload had invalid encoding: {fault}") from None


def _split(value: Value) -> Token:
    text = operands.string(value, 1)
    if len(text) > SIZE.value:
        raise BuiltinFault(str(SIZE))
    sections = text.split(".", 3)
    if len(sections) == 1:
        raise BuiltinFault("encoded JWT had no period separators")
    if len(sections) != 3:
        raise BuiltinFault(f"encoded JWT must have 3 sections, found {text.count('.') + 1}")
    return Token(*sections)


def _json_object(text: str) -> dict[str, Value]:
    try:
        value = jsontext.unmarshal(text)
    except BuiltinFault as fault:
        raise BuiltinFault(f"invalid JSON: {fault}") from None
    if type(value) is not dict:
        raise BuiltinFault("decoded JSON type was not an Object")
    return value


def _decode(value: Value) -> Value:
    """Header, payload and hexadecimal signature; nothing is verified. A nested token is decoded instead."""
    while True:
        token = _split(value)
        header = token.decoded_header()
        payload = token.decoded_payload()
        if header.get("cty") != "JWT":
            break
        value = payload.strip("\"'")  # some encoders put the inner token in quotes
    claims = _json_object(payload)
    try:
        signature = token.decoded_signature()
    except BuiltinFault as fault:
        raise BuiltinFault(f"JWT signature had invalid encoding: {fault}") from None
    return [header, claims, signature.hex()]


# --- the header -----------------------------------------------------------------------


@dataclass(slots=True)
class _Header:
    """The header's registered parameters, and the names of all others."""

    alg: str = ""
    kid: str = ""
    typ: str = ""
    cty: str = ""
    crit: frozenset[str] = frozenset()
    unknown: list[str] = field(default_factory=list)


def _read_header(values: dict[str, Value]) -> _Header:
    header = _Header()
    for name in sorted(values):
        value = values[name]
        if name in {"alg", "kid", "typ", "cty"}:
            if type(value) is not str:
                raise BuiltinFault(f"{name}: must be a string")
            setattr(header, name, value)
        elif name == "crit":
            header.crit = _critical(value)
        else:
            header.unknown.append(name)
    return header


def _critical(value: Value) -> frozenset[str]:
    if type(value) is not list:
        raise BuiltinFault("crit: must be a list")
    names = []
    for item in value:
        if type(item) is not str:
            break
        names.append(item)
    if not names:
        raise BuiltinFault("crit: must be a nonempty list")
    return frozenset(names)


# --- verify_* -------------------------------------------------------------------------


def _trusted(context: EvalContext, text: str) -> list[jwk.Key]:
    """The keys of a text, parsed once a query."""
    context.meter.charge(1_000 + len(text))
    return gate.once(context, "io.jwt keys", text, lambda: jwk.trusted(text))  # type: ignore[no-any-return]


def _candidates(keys: list[jwk.Key], header: _Header) -> list[jwk.Key]:
    """The key that the token names, if it is among the trusted ones; else all that its algorithm allows."""
    if header.kid:
        for key in keys:
            if key.kid == header.kid:
                return [key]
    return [key for key in keys if not key.alg or key.alg == header.alg]


_STEP: Final = 1_000
"""Steps charged for one signature, which takes some tenths of a millisecond."""


def _verify(algorithm: jws.Algorithm, context: EvalContext, value: Value, certificate: Value) -> bool:
    """Verify with the algorithm of the built-in's name, whatever the token claims."""
    token = _split(value)
    keys = _trusted(context, operands.string(certificate, 2))
    signature = token.decoded_signature()
    header = _read_header(token.decoded_header())
    for key in _candidates(keys, header):
        context.meter.charge(_STEP)
        public = key.family != "oct" and not key.private
        if public and jws.verify(key, algorithm, token.signed, signature, lenient=True):
            return True
    return False


def _verify_mac(algorithm: jws.Algorithm, value: Value, secret: Value) -> bool:
    operands.string(value, 1)
    octets = to_octets(operands.string(secret, 2))
    token = _split(value)
    key = jwk.Key(family="oct", name="symmetricKey", value=octets, private=True)
    return jws.verify(key, algorithm, token.signed, token.decoded_signature())


# --- decode_verify --------------------------------------------------------------------


@dataclass(slots=True, repr=False)
class _Constraints:
    """What the policy demands. ``keys`` is None where it gave a secret instead."""

    keys: list[jwk.Key] | None = None
    secret: str = ""
    alg: str = ""
    iss: str = ""
    aud: str = ""
    time: float = -1.0

    def trusted(self) -> list[jwk.Key]:
        """The keys to verify with."""
        if self.keys is not None:
            return self.keys
        octets = to_octets(self.secret)
        return [jwk.Key(family="oct", name="symmetricKey", value=octets, private=True)]


def _read_constraints(context: EvalContext, values: dict[Any, Value]) -> _Constraints:
    out = _Constraints()
    for name in sorted(map(jsontext.key_text, values)):
        value = values.get(name)
        if name == "cert":
            if type(value) is not str:
                raise BuiltinFault("cert constraint: must be a string")
            out.keys = _trusted(context, value)
        elif name in {"secret", "alg", "iss", "aud"}:
            if type(value) is not str:
                raise BuiltinFault(f"{name} constraint: must be a string")
            setattr(out, name, value)
        elif name == "time":
            out.time = _time(value)
        else:
            raise BuiltinFault(f"unknown token validation constraint: {name}")
    if out.time < 0:
        out.time = float(context.now_ns)
    if out.keys is not None and out.secret:
        raise BuiltinFault("duplicate key constraints")
    if out.keys is None and not out.secret:
        raise BuiltinFault("no key constraint")
    return out


def _time(value: Value) -> float:
    if not is_number(value):
        raise BuiltinFault("token time constraint: must be a number")
    try:
        time = float(value)
    except OverflowError:
        time = float("inf")
    if time in {float("inf"), float("-inf")}:
        raise BuiltinFault("token time constraint: unvalid float64")
    if time < 0:
        raise BuiltinFault("token time constraint: must not be negative")
    return time


def _decode_verify(context: EvalContext, value: Value, demands: Value) -> Value:
    constraints = _read_constraints(context, operands.object_(demands, 2))
    while True:
        # 1-2: the sections. 3-4, 6: the header is JSON, and no encrypted token's.
        token = _split(value)
        values = token.decoded_header()
        # 5: the header's parameters are understood; `alg` is there, nothing unknown is critical.
        header = _read_header(values)
        if not header.alg or header.crit.intersection(header.unknown):
            return list(UNVERIFIED)
        if constraints.alg and constraints.alg != header.alg:
            return list(UNVERIFIED)
        # 7: the signature, by a trusted key, whose kind must be the algorithm's.
        signature = token.decoded_signature()
        if not _signed(context, constraints, header, token, signature):
            return list(UNVERIFIED)
        # 9-10: the payload. 8: a nested token goes the same way again.
        payload = token.decoded_payload()
        if header.cty.casefold() != "jwt":
            break
        value = payload
    claims = _json_object(payload)
    if _acceptable(constraints, claims):
        return [True, values, claims]
    return list(UNVERIFIED)


def _signed(
    context: EvalContext,
    constraints: _Constraints,
    header: _Header,
    token: Token,
    signature: bytes,
) -> bool:
    algorithm = jws.ALGORITHMS.get(header.alg)
    if algorithm is None:  # "none" among them
        return False
    for key in _candidates(constraints.trusted(), header):
        context.meter.charge(_STEP)
        if jws.verify(key, algorithm, token.signed, signature):
            return True
    return False


def _acceptable(constraints: _Constraints, claims: dict[str, Value]) -> bool:
    """The registered claims (RFC 7519, section 4.1) against the constraints and the time."""
    if constraints.iss and claims.get("iss") != constraints.iss:
        return False
    if "aud" in claims:
        audience = claims["aud"]
        audiences = audience if type(audience) is list else [audience]
        if not any(type(one) is str and one == constraints.aud for one in audiences):
            return False
    elif constraints.aud:
        return False
    now = Number(repr(constraints.time / 1e9))
    for name in ("exp", "nbf"):
        if name in claims:
            if not is_number(claims[name]):
                raise BuiltinFault(f"{name} value must be a number")
            order = compare(now, claims[name])
            if order >= 0 if name == "exp" else order < 0:
                return False
    return True


# --- encode_sign ----------------------------------------------------------------------


def _encode_sign(context: EvalContext, header: Value, payload: Value, key: Value) -> Value:
    texts = [jsontext.marshal(value) for value in (header, payload, key)]
    return gate.once(context, "io.jwt.encode_sign", texts, lambda: _sign(*texts))


def _encode_sign_raw(context: EvalContext, header: Value, payload: Value, key: Value) -> Value:
    source = operands.string(key, 3)
    texts = [operands.string(header, 1), operands.string(payload, 2), source]
    return gate.once(context, "io.jwt.encode_sign", texts, lambda: _sign(*texts))


def _sign(header: str, payload: str, source: str) -> str:
    keys = jwk.parse(source)
    if not keys:
        raise BuiltinFault("no keys found in JWK set")
    parameters = _header_text(header)
    algorithm = _header_string(parameters, "alg")
    if algorithm not in jws.ALGORITHMS:
        raise BuiltinFault(f"unknown JWS algorithm: {algorithm}")
    if parameters.get("typ", "JWT") == "JWT" and not jsontext.valid(payload):
        raise BuiltinFault("type is JWT but payload is not JSON")
    signed = ".".join(base64text.encode_url(to_octets(part)) for part in (header, payload))
    signature = jws.sign(keys[0], algorithm, signed.encode("ascii"))
    return f"{signed}.{base64text.encode_url(signature)}"


def _header_text(text: str) -> dict[str, Value]:
    try:
        value = jsontext.unmarshal(text)
    except BuiltinFault as fault:
        if _LENIENT.fullmatch(text):
            return {}
        reason = f"{fault}; unparsed tail: {gotext.quote(text[:64])}" if text else _EMPTY
        raise BuiltinFault(f"missing or invalid 'alg' header: cannot parse JSON: {reason}") from None
    return value if type(value) is dict else {}


_LENIENT: Final = re.compile(r"\s*[-+0-9.eE]+\s*")
"""What OPA's reader of headers takes for a number, and no error: a header without parameters."""

_EMPTY: Final = 'cannot parse empty string; unparsed tail: ""'
_JSON_NAMES: Final[dict[type, str]] = {bool: "boolean", list: "array", dict: "object", type(None): "null"}


def _header_string(parameters: dict[str, Value], name: str) -> str:
    if name not in parameters:
        raise BuiltinFault(f"missing or invalid 'alg' header: jwsbb: header \"{name}\" not found")
    value = parameters[name]
    if type(value) is not str:
        kind = _JSON_NAMES.get(type(value), "number")
        raise BuiltinFault(
            f"missing or invalid 'alg' header: value doesn't contain string; it contains {kind}",
        )
    return value


# --- rows -----------------------------------------------------------------------------

_OBJECT = Object(dynamic=(ANY, ANY))
_NAMED = Object(dynamic=(STRING, ANY))


def _register() -> None:
    verify: Callable[..., Value]
    for name, algorithm in jws.ALGORITHMS.items():
        signature = Function((STRING, STRING), BOOLEAN)
        if algorithm.family == "oct":
            verify = partial(_verify_mac, algorithm)
            row(f"io.jwt.verify_{name.lower()}", signature, verify)
        else:
            verify = partial(_verify, algorithm)
            row(f"io.jwt.verify_{name.lower()}", signature, verify, context=True)
    row("io.jwt.decode", Function((STRING,), Array(static=(_OBJECT, _OBJECT, STRING))), _decode)
    row(
        "io.jwt.decode_verify",
        Function((STRING, _NAMED), Array(static=(BOOLEAN, _OBJECT, _OBJECT))),
        _decode_verify,
        context=True,
        deterministic=False,
    )
    row(
        "io.jwt.encode_sign",
        Function((_NAMED, _NAMED, _NAMED), STRING),
        _encode_sign,
        context=True,
        deterministic=False,
    )
    row(
        "io.jwt.encode_sign_raw",
        Function((STRING, STRING, STRING), STRING),
        _encode_sign_raw,
        context=True,
        deterministic=False,
    )


_register()
