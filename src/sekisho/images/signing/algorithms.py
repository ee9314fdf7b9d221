"""Signature algorithms: the rows of Binary Authorization's enum, and those of cosign and DSSE beyond it.

A key verifies by the algorithm that its owner declared, or, where the format has no declaration (a bare PEM
key for cosign), by those that belong to its structure. What a signature says about itself decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Family(Enum):
    """How a signature is computed."""

    RSA_PSS = "RSASSA-PSS"
    RSA_PKCS1 = "RSASSA-PKCS1-v1_5"
    ECDSA = "ECDSA"
    ED25519 = "Ed25519"
    ML_DSA = "ML-DSA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """One way to sign. ``structure`` is what the key must be: an RSA modulus in bits, a curve's name.

    ``digest`` is the hash's name; empty where the algorithm hashes for itself.
    """

    name: str
    family: Family
    structure: int | str
    digest: str = ""
    aliases: tuple[str, ...] = ()


def _pss(bits: int, digest: str) -> Algorithm:
    name = f"PSS_{bits}_{digest.upper()}"
    return Algorithm(
        name=f"RSA_{name}",
        family=Family.RSA_PSS,
        structure=bits,
        digest=digest,
        aliases=(f"RSA_SIGN_{name}",),
    )


def _pkcs1(bits: int, digest: str) -> Algorithm:
    name = f"RSA_SIGN_PKCS1_{bits}_{digest.upper()}"
    return Algorithm(name=name, family=Family.RSA_PKCS1, structure=bits, digest=digest)


def _ecdsa(curve: str, bits: int, digest: str) -> Algorithm:
    name = f"P{bits}_{digest.upper()}"
    return Algorithm(
        name=f"ECDSA_{name}",
        family=Family.ECDSA,
        structure=curve,
        digest=digest,
        aliases=(f"EC_SIGN_{name}",),
    )


BINARY_AUTHORIZATION: Final = (
    _pss(2048, "sha256"),
    _pss(3072, "sha256"),
    _pss(4096, "sha256"),
    _pss(4096, "sha512"),
    _pkcs1(2048, "sha256"),
    _pkcs1(3072, "sha256"),
    _pkcs1(4096, "sha256"),
    _pkcs1(4096, "sha512"),
    _ecdsa("secp256r1", 256, "sha256"),
    _ecdsa("secp384r1", 384, "sha384"),
    _ecdsa("secp521r1", 521, "sha512"),
    Algorithm(name="ML_DSA_65", family=Family.ML_DSA, structure="ML-DSA-65"),
)
"""``PkixPublicKey.SignatureAlgorithm`` of the v1 API."""

ED25519: Final = Algorithm(name="ED25519", family=Family.ED25519, structure="Ed25519")

COSIGN: Final = (
    *(row for row in BINARY_AUTHORIZATION if row.family in (Family.ECDSA, Family.RSA_PKCS1)),
    _ecdsa("secp384r1", 384, "sha256"),
    _ecdsa("secp521r1", 521, "sha256"),
    ED25519,
)
"""What a bare key may have signed with: sigstore's algorithm registry, and SHA-256 with any curve, which
``cosign verify --key`` takes by default."""

BY_NAME: Final = {name: row for row in (*BINARY_AUTHORIZATION, *COSIGN) for name in (row.name, *row.aliases)}
"""Every spelling that a policy may use."""
