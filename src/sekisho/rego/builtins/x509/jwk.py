"""JSON Web Keys (RFC 7517, 7518, 8037): what verifies and signs tokens.

Keys come as a JWK, a set of JWKs, or a PEM certificate or public key. Messages never hold a key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from sekisho.diag import Limit
from sekisho.lang.golang.gotext import to_octets
from sekisho.rego import jsontext
from sekisho.rego.builtins.x509 import pem
from sekisho.rego.faults import BuiltinFault

TEXT: Final = Limit(
    "a key set", 4_000_000, "characters", "a set of 1,000 RSA keys with certificates is smaller"
)
KEYS: Final = Limit("a key set", 1_000, "keys", "each is tried for a token that names none")
MODULUS: Final = Limit("an RSA key", 16_384, "bits", "larger keys cost seconds a signature")

SUPPORTED: Final = frozenset(
    {
        *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
        *("ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "EdDSA"),
    },
)
"""Algorithms of tokens. Keys of a set that are for others (encryption, say) are passed over."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Key:
    """One key: bytes (oct), or a key object of the library. Its repr shows no secret.

    ``family`` is oct, rsa, ec, ed or other (a key that signs nothing). ``name`` is what messages call it.
    """

    family: str
    name: str
    value: Any
    private: bool = False
    alg: str = ""
    kid: str = ""

    def __repr__(self) -> str:
        return f"<{self.name} {self.kid!r}>"

    def public(self) -> Any:
        """The part that verifies."""
        return self.value.public_key() if self.private else self.value


def trusted(text: str) -> list[Key]:
    """The keys that a policy trusts: a PEM certificate or public key, a JWK or a set of them.

    Raises BuiltinFault in OPA's words.
    """
    if len(text) > TEXT.value:
        raise BuiltinFault(f"failed to parse a JWK key (set): {TEXT}")
    data = to_octets(text)
    found = pem.decode(data)
    if found is None:
        try:
            keys = parse(text)
        except BuiltinFault as fault:
            reason = f"jwk.ParseString: failed to parse string: {fault}"
            raise BuiltinFault(f"failed to parse a JWK key (set): {reason}") from None
        return [key for key in keys if not key.alg or key.alg in SUPPORTED]
    block, rest = found
    if rest:
        raise BuiltinFault("extra data after a PEM certificate block")
    if block.type == "CERTIFICATE":
        return [_certified(block.data)]
    if block.type == "PUBLIC KEY":
        return [_public(block.data)]
    raise BuiltinFault("failed to extract a Key from the PEM certificate")


def _certified(data: bytes) -> Key:
    from cryptography import x509

    try:
        return wrap(x509.load_der_x509_certificate(data).public_key())
    except Exception:  # noqa: BLE001 - the library has no base class of its own
        raise BuiltinFault("failed to parse a PEM certificate: x509: malformed certificate") from None


def _public(data: bytes) -> Key:
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return wrap(load_der_public_key(data))
    except Exception:  # noqa: BLE001 - likewise
        raise BuiltinFault("failed to parse a PEM public key: asn1: structure error") from None


def wrap(value: Any, *, alg: str = "", kid: str = "") -> Key:
    """A key object of the library as a Key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    families: tuple[tuple[str, str, type, type], ...] = (
        ("rsa", "rsa", rsa.RSAPublicKey, rsa.RSAPrivateKey),
        ("ec", "ecdsa", ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey),
        ("ed", "okp", ed25519.Ed25519PublicKey, ed25519.Ed25519PrivateKey),
    )
    for family, name, public, private in families:
        if isinstance(value, public):
            return Key(family=family, name=f"{name}PublicKey", value=value, alg=alg, kid=kid)
        if isinstance(value, private):
            return Key(
                family=family,
                name=f"{name}PrivateKey",
                value=value,
                private=True,
                alg=alg,
                kid=kid,
            )
    return Key(family="other", name="okpPublicKey", value=None, alg=alg, kid=kid)


# --- JWK ------------------------------------------------------------------------------


def parse(text: str) -> list[Key]:
    """The keys of a JWK or of a set of JWKs. Raises BuiltinFault in the words of OPA's library."""
    if len(text) > TEXT.value:
        raise BuiltinFault(f"jwk.Parse: {TEXT}")
    try:
        value = jsontext.unmarshal(text)
    except BuiltinFault as fault:
        _no_key(f"jwk.Parse: failed to probe data: probe: failed to unmarshal data: {fault}")
    if type(value) is not dict:
        _no_key("jwk.Parse: failed to probe data: probe: failed to unmarshal data: not an object")
    if "keys" not in value:
        try:
            return [_key(value)]
        except BuiltinFault as fault:
            _no_key(str(fault))
    keys = value["keys"]
    if type(keys) is not list:
        raise BuiltinFault("jwk.Parse: failed to unmarshal JWK set: failed to decode \"keys\": expected '['")
    if len(keys) > KEYS.value:
        raise BuiltinFault(
            f'jwk.Parse: failed to unmarshal JWK set: too many keys in "keys" array: max {KEYS.value}',
        )
    return [_numbered(index, key) for index, key in enumerate(keys)]


def _no_key(reason: str) -> NoReturn:
    raise BuiltinFault(f"jwk.Parse: failed to parse sole key: jwk.ParseKey: {reason}")


def _numbered(index: int, value: Any) -> Key:
    try:
        return _key(value if type(value) is dict else {})
    except BuiltinFault as fault:
        raise BuiltinFault(
            "jwk.Parse: failed to unmarshal JWK set: "
            f'failed to decode key #{index} in "keys": jwk.ParseKey: {fault}',
        ) from None


class _Jwk:
    """Access to one JWK's members."""

    def __init__(self, value: Mapping[str, Any], name: str) -> None:
        self.value = value
        self.name = name

    def refuse(self, reason: str) -> NoReturn:
        where = f"failed to unmarshal JSON into key (*jwk.{self.name})"
        raise BuiltinFault(f"{where}: {where}: {reason}")

    def text(self, member: str) -> str:
        found = self.value.get(member, "")
        if type(found) is not str:
            self.refuse(f"failed to decode value for key {member}: expected a string")
        return found

    def octets(self, member: str) -> bytes:
        found = self.value.get(member)
        if found is None:
            self.refuse(f"required field {member} is missing")
        try:
            return _base64(found)
        except ValueError:
            self.refuse(f"failed to decode value for key {member}: expected base64 encoded []byte (string)")

    def number(self, member: str) -> int:
        octets = self.octets(member)
        if len(octets) > MODULUS.value // 8:
            self.refuse(f"failed to decode value for key {member}: {MODULUS}")
        return int.from_bytes(octets)


def _base64(text: object) -> bytes:
    if type(text) is not str:
        raise ValueError
    bare = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.b64decode(
            (bare + "=" * (-len(bare) % 4)).encode("ascii"), altchars=b"-_", validate=True
        )
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError from None


def _key(value: Mapping[str, Any]) -> Key:
    kind = value.get("kty", "")
    reader = _KINDS.get(kind) if type(kind) is str else None
    if reader is None:
        raise BuiltinFault(f"invalid key type from JSON ({kind if type(kind) is str else ''})")
    stem, read = reader
    jwk = _Jwk(value, f"{stem}PrivateKey" if "d" in value else f"{stem}PublicKey" if stem else "symmetricKey")
    alg, kid = jwk.text("alg"), jwk.text("kid")
    try:
        return read(jwk, alg, kid)
    except ValueError as error:
        reason = f"key validation failed: jwk.{jwk.name}: {error}"
        raise BuiltinFault(f"jwk.Parse: key validation failed: {reason}") from None


def _symmetric(jwk: _Jwk, alg: str, kid: str) -> Key:
    octets = jwk.octets("k")
    if not octets:
        raise BuiltinFault(
            'jwk.Parse: key validation failed: key validation failed: jwk.SymmetricKey: missing "k" field',
        )
    return Key(family="oct", name="symmetricKey", value=octets, private=True, alg=alg, kid=kid)


def _rsa(jwk: _Jwk, alg: str, kid: str) -> Key:
    from cryptography.hazmat.primitives.asymmetric import rsa

    n, e = jwk.number("n"), jwk.number("e")
    public = rsa.RSAPublicNumbers(e, n)
    if "d" not in jwk.value:
        try:
            return wrap(public.public_key(), alg=alg, kid=kid)
        except ValueError:  # a modulus that nobody signs with: a key, but one that verifies nothing
            return wrap(None, alg=alg, kid=kid)
    d = jwk.number("d")
    if "p" in jwk.value and "q" in jwk.value:
        p, q = jwk.number("p"), jwk.number("q")
    else:
        p, q = rsa.rsa_recover_prime_factors(n, e, d)
    if p < 2 or q < 2:
        raise ValueError("the primes are no primes")
    private = rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        public,
    )
    return wrap(private.private_key(), alg=alg, kid=kid)


def _ec(jwk: _Jwk, alg: str, kid: str) -> Key:
    from cryptography.hazmat.primitives.asymmetric import ec

    curves: dict[str, Callable[[], ec.EllipticCurve]] = {
        "P-256": ec.SECP256R1,
        "P-384": ec.SECP384R1,
        "P-521": ec.SECP521R1,
    }
    curve = curves.get(jwk.text("crv"))
    if curve is None:
        jwk.refuse("failed to decode value for key crv: unknown curve")
    numbers = ec.EllipticCurvePublicNumbers(jwk.number("x"), jwk.number("y"), curve())
    if "d" not in jwk.value:
        return wrap(numbers.public_key(), alg=alg, kid=kid)
    return wrap(ec.EllipticCurvePrivateNumbers(jwk.number("d"), numbers).private_key(), alg=alg, kid=kid)


def _okp(jwk: _Jwk, alg: str, kid: str) -> Key:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    curve = jwk.text("crv")
    public = jwk.octets("x")
    if curve != "Ed25519":
        if curve not in {"X25519", "Ed448", "X448"}:
            jwk.refuse("failed to decode value for key crv: unknown curve")
        return wrap(None, alg=alg, kid=kid)
    if "d" not in jwk.value:
        return wrap(ed25519.Ed25519PublicKey.from_public_bytes(public), alg=alg, kid=kid)
    return wrap(ed25519.Ed25519PrivateKey.from_private_bytes(jwk.octets("d")), alg=alg, kid=kid)


_KINDS: Final[dict[str, tuple[str, Callable[[_Jwk, str, str], Key]]]] = {
    "oct": ("", _symmetric),
    "RSA": ("rsa", _rsa),
    "EC": ("ecdsa", _ec),
    "OKP": ("okp", _okp),
}


# --- a key as JWK ---------------------------------------------------------------------


def _number(value: int, size: int = 0) -> str:
    octets = value.to_bytes(size or (value.bit_length() + 7) // 8 or 1)
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def describe(value: Any) -> dict[str, str] | None:
    """A private key of the library as a JWK, or None where there is none for it."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(value, rsa.RSAPrivateKey):
        numbers = value.private_numbers()
        parts = {
            "n": numbers.public_numbers.n,
            "e": numbers.public_numbers.e,
            "d": numbers.d,
            "p": numbers.p,
            "q": numbers.q,
            "dp": numbers.dmp1,
            "dq": numbers.dmq1,
            "qi": numbers.iqmp,
        }
        return {"kty": "RSA", **{name: _number(part) for name, part in parts.items()}}
    if isinstance(value, ec.EllipticCurvePrivateKey):
        secret = value.private_numbers()
        point = secret.public_numbers
        size = (value.curve.key_size + 7) // 8
        curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(value.curve.name)
        if curve is None:
            return None
        coordinates = {"x": point.x, "y": point.y, "d": secret.private_value}
        return {"kty": "EC", "crv": curve, **{n: _number(part, size) for n, part in coordinates.items()}}
    if isinstance(value, ed25519.Ed25519PrivateKey):
        seed = value.private_bytes(form.Encoding.Raw, form.PrivateFormat.Raw, form.NoEncryption())
        public = value.public_key().public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
        encoded = {"x": public, "d": seed}
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            **{n: base64.urlsafe_b64encode(v).rstrip(b"=").decode("ascii") for n, v in encoded.items()},
        }
    return None
