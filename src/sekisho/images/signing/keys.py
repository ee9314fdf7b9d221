"""Public keys: one PEM block, a structure that agrees with the declared algorithm, and when they count.

Numbered as they are checked (``public_key``):

1. the text is one PEM block of type PUBLIC KEY, and nothing else;
2. its DER is one SubjectPublicKeyInfo, and nothing after it;
3. the declared algorithm is known;
4. the key's type, and its modulus or curve, are those of the algorithm.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.images.signing.algorithms import BY_NAME, COSIGN, Algorithm, Family

PEM: Final = Limit("a public key's PEM", 16_384, "characters", "an ML-DSA-87 key has under 4,000")

_BLOCK: Final = re.compile(
    r"\s*-----BEGIN PUBLIC KEY-----[ \t]*\r?\n((?:[A-Za-z0-9+/=]+[ \t]*\r?\n)+)-----END PUBLIC KEY-----\s*"
)

PARSED: Final = 1_024
"""Parsed keys kept: 200 attestors of five keys; parsing one takes as long as verifying with it."""


class BadKeyError(ValueError):
    """A key that cannot be used; the text says why, for a reader who wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a key counts: from ``start`` on, before ``end``, and before it was revoked; None is no bound."""

    start: datetime | None = None
    end: datetime | None = None
    revoked: datetime | None = None

    def problem(self, now: datetime) -> str:
        """Why the key does not count at a moment; empty if it does."""
        if self.start is not None and now < self.start:
            return f"the key is not valid before {self.start.isoformat()}"
        if self.revoked is not None and now >= self.revoked:
            return f"the key was revoked at {self.revoked.isoformat()}"
        if self.end is not None and now >= self.end:
            return f"the key expired at {self.end.isoformat()}"
        return ""


ALWAYS: Final = Window()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A checked key. ``der`` is its SubjectPublicKeyInfo; ``algorithms`` those that it may have signed by."""

    id: str
    der: bytes = field(repr=False)
    algorithms: tuple[Algorithm, ...]
    window: Window = ALWAYS

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, in hex."""
        return hashlib.sha256(self.der).hexdigest()


def public_key(pem: str, *, algorithm: str = "", id: str = "", window: Window = ALWAYS) -> PublicKey:
    """Read a key; ``algorithm`` is the declared one, empty where the format has none. Raises BadKeyError.

    Without ``id`` it is the one that Binary Authorization makes up (RFC 6920).
    """
    der = der_of(pem)
    return key_of(der, algorithm=algorithm, id=id, window=window)


def key_of(der: bytes, *, algorithm: str = "", id: str = "", window: Window = ALWAYS) -> PublicKey:
    """The same from a SubjectPublicKeyInfo. Raises BadKeyError."""
    structure = structure_of(der)
    if algorithm:
        declared = BY_NAME.get(algorithm)
        if declared is None:
            raise BadKeyError(f"the signature algorithm {algorithm} is unknown")
        if not fits(structure, declared):
            have, want = _title(*structure), _title(declared.family, declared.structure)
            raise BadKeyError(f"the key is {have}, and {algorithm} needs {want}")
        algorithms: tuple[Algorithm, ...] = (declared,)
    else:
        algorithms = tuple(_undeclared(structure))
        if not algorithms:
            raise BadKeyError(f"a key that is {_title(*structure)} cannot be used here")
    return PublicKey(id=id or ni(der), der=der, algorithms=algorithms, window=window)


def der_of(pem: str) -> bytes:
    """Steps 1 and 2: the SubjectPublicKeyInfo of a PEM text, or BadKeyError."""
    if PEM.exceeded_by(len(pem)):
        raise BadKeyError(str(PEM))
    found = _BLOCK.fullmatch(pem)
    if found is None:
        what = "more than one" if pem.count("-----BEGIN") > 1 else "not one"
        raise BadKeyError(f"the text is {what} PEM block of type PUBLIC KEY")
    try:
        return base64.b64decode("".join(found[1].split()), validate=True)
    except binascii.Error:
        raise BadKeyError("the PEM block is not base64") from None


def ni(der: bytes) -> str:
    """The key's name after RFC 6920: ``ni:///sha-256;`` and the digest of the DER, unpadded base64url."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(der).digest())
    return f"ni:///sha-256;{digest.decode('ascii').rstrip('=')}"


Structure = tuple[Family, int | str]
"""A key's type and modulus or curve; all RSA keys have one family here, RSA_PKCS1."""


def fits(structure: Structure, algorithm: Algorithm) -> bool:
    """Whether a key of this structure may sign by an algorithm."""
    family = Family.RSA_PKCS1 if algorithm.family is Family.RSA_PSS else algorithm.family
    return structure == (family, algorithm.structure)


def _undeclared(structure: Structure) -> Iterable[Algorithm]:
    if structure[0] is Family.RSA_PKCS1:
        # Bare RSA keys sign with SHA-256, whatever their size from 2,048 bits on.
        bits = int(structure[1])
        if 2_048 <= bits <= MAXIMUM_RSA:
            name = f"RSA_SIGN_PKCS1_{bits}_SHA256"
            yield Algorithm(name=name, family=Family.RSA_PKCS1, structure=bits, digest="sha256")
        return
    yield from dict.fromkeys(row for row in COSIGN if fits(structure, row))


MAXIMUM_RSA: Final = 8_192
"""Bits; verifying with a longer modulus takes milliseconds, and no signer makes one."""


def structure_of(der: bytes) -> Structure:
    """What kind of key a SubjectPublicKeyInfo holds; raises BadKeyError."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

    key = parsed(der)
    if isinstance(key, rsa.RSAPublicKey):
        return Family.RSA_PKCS1, key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return Family.ECDSA, key.curve.name
    if isinstance(key, ed25519.Ed25519PublicKey):
        return Family.ED25519, "Ed25519"
    if isinstance(key, mldsa.MLDSA65PublicKey):
        return Family.ML_DSA, "ML-DSA-65"
    raise BadKeyError(f"keys of type {type(key).__name__.removesuffix('PublicKey')} are not supported")


@lru_cache(maxsize=PARSED)
def parsed(der: bytes) -> Any:
    """The key as the library has it; raises BadKeyError. DER with anything after it is refused."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyError("the PEM block does not hold a public key that can be read") from None


def _title(family: Family, structure: int | str) -> str:
    if family in (Family.RSA_PKCS1, Family.RSA_PSS):
        return f"an RSA key of {structure} bits"
    return f"a key on the curve {structure}" if family is Family.ECDSA else f"a key for {structure}"
