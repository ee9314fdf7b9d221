"""Signing: with a private key from a file, or by a program that has the key (a token, a cloud's KMS).

The protocol of a program: the payload on its standard input, the signature's bytes on its standard output,
exit status 0. What it gives is verified before it is used, so a wrong key is found here and not at admission.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sekisho.diag import Secret
from sekisho.images.signing.algorithms import Algorithm, Family
from sekisho.images.signing.keys import BadKeyError, PublicKey
from sekisho.images.signing.verify import hash_of, verifies

SIGNATURE: Final = 65_536
"""Bytes of a signature; ML-DSA-87 has under 5,000."""


class Sign(Protocol):
    """Who signs."""

    def __call__(self, payload: bytes, algorithm: Algorithm) -> bytes:
        """The signature; raises BadKeyError if the key cannot."""


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key that was read from PEM."""

    _key: Any = field(repr=False)

    def __call__(self, payload: bytes, algorithm: Algorithm) -> bytes:
        """The signature by one algorithm; raises BadKeyError if it is not for this key."""
        from cryptography.hazmat.primitives.asymmetric import ec, padding

        how: tuple[Any, ...] = ()
        if algorithm.digest:
            digest = hash_of(algorithm.digest)
            pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
            how = {
                Family.ECDSA: (ec.ECDSA(digest),),
                Family.RSA_PKCS1: (padding.PKCS1v15(), digest),
                Family.RSA_PSS: (pss, digest),
            }[algorithm.family]
        try:
            return bytes(self._key.sign(payload, *how))
        except (TypeError, AttributeError):
            raise BadKeyError(f"the private key cannot sign by {algorithm.name}") from None

    def public_der(self) -> bytes:
        """The SubjectPublicKeyInfo of its public half."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return bytes(self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def private_key(pem: bytes, password: Secret[bytes] | None = None) -> PrivateKey:
    """Read a private key in PEM, encrypted or not. Raises BadKeyError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return PrivateKey(load_pem_private_key(pem, password.reveal() if password else None))
    except TypeError:
        wrong = "it is not encrypted" if password else "it is encrypted, and needs a password"
        raise BadKeyError(f"the private key cannot be read: {wrong}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyError("the private key cannot be read: wrong password, or not a private key") from None


def sign_for(keys: tuple[PublicKey, ...], payload: bytes, sign: Sign) -> tuple[PublicKey, bytes]:
    """The signature, and which of the keys it is by. Raises BadKeyError if it is by none of them."""
    for key in keys:
        for algorithm in key.algorithms:
            try:
                signature = sign(payload, algorithm)
            except BadKeyError:
                continue
            if verifies(key, payload, signature):
                return key, signature
    raise BadKeyError("the signature is by none of the attestor's keys")
