"""Verifying one signature over bytes that are as they were stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sekisho.images.signing.algorithms import Algorithm, Family
from sekisho.images.signing.keys import parsed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from sekisho.images.signing.keys import PublicKey

COORDINATE: Final = {"secp256r1": 32, "secp384r1": 48, "secp521r1": 66}
"""Bytes of each half of a signature that is r and s side by side, as JWS and some DSSE signers write it."""


def verifies(key: PublicKey, payload: bytes, signature: bytes, *, any_salt: bool = False) -> bool:
    """Whether a signature over ``payload`` is by ``key``, by one of the algorithms that the key may use.

    ECDSA signatures are DER. The salt of RSASSA-PSS has the digest's length unless ``any_salt``. When the
    key counts (its window) is for the caller to ask.
    """
    return any(_verifies(key.der, row, payload, signature, any_salt) for row in key.algorithms)


def verifies_digest(key: PublicKey, digest: str, signature: bytes) -> bool:
    """The same where only the SHA-256 of the payload is known (``sha256:…``).

    Algorithms with another hash, or that hash for themselves, cannot answer, so they say no.
    """
    value = bytes.fromhex(digest.removeprefix("sha256:"))
    rows = (row for row in key.algorithms if row.digest == "sha256")
    return any(_verifies(key.der, row, value, signature, False, hashed=True) for row in rows)


def raw_to_der(signature: bytes, curve: str) -> bytes | None:
    """An ECDSA signature of r and s side by side as DER; None if the length is not the curve's."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    size = COORDINATE[curve]
    if len(signature) != 2 * size:
        return None
    r, s = signature[:size], signature[size:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def _verifies(
    der: bytes,
    algorithm: Algorithm,
    payload: bytes,
    signature: bytes,
    any_salt: bool,
    *,
    hashed: bool = False,
) -> bool:
    from cryptography.exceptions import InvalidSignature

    key = parsed(der)
    try:
        if algorithm.family in (Family.ED25519, Family.ML_DSA):
            key.verify(signature, payload)
        else:
            key.verify(signature, payload, *_parameters(algorithm, any_salt, hashed))
    except InvalidSignature:
        return False
    return True


def _parameters(algorithm: Algorithm, any_salt: bool, hashed: bool) -> tuple[Any, ...]:
    """What the library is told about padding and hash; ``hashed`` is whether the payload is a digest."""
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    digest = hash_of(algorithm.digest)
    given = Prehashed(digest) if hashed else digest
    if algorithm.family is Family.ECDSA:
        return (ec.ECDSA(given),)
    if algorithm.family is Family.RSA_PKCS1:
        return padding.PKCS1v15(), given
    salt = padding.PSS.AUTO if any_salt else digest.digest_size
    return padding.PSS(mgf=padding.MGF1(digest), salt_length=salt), given


def hash_of(name: str) -> HashAlgorithm:
    """The library's hash of a name: sha256, sha384, sha512."""
    from cryptography.hazmat.primitives import hashes

    kinds: dict[str, type[HashAlgorithm]] = {
        "sha256": hashes.SHA256,
        "sha384": hashes.SHA384,
        "sha512": hashes.SHA512,
    }
    return kinds[name]()
