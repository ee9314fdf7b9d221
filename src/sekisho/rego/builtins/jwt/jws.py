"""Signatures of tokens (RFC 7515, 7518, 8037).

The algorithm decides which kind of key may be used: an HMAC secret never verifies an RSA signature, and a
public key is never taken for a secret.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sekisho.rego.builtins.x509.jwk import Key
from sekisho.rego.faults import BuiltinFault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
    from cryptography.hazmat.primitives.hashes import HashAlgorithm


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How an algorithm signs: the family of its keys, its digest, and the padding of RSA."""

    family: str
    digest: str = ""
    pss: bool = False


ALGORITHMS: Final = {
    **{f"HS{bits}": Algorithm("oct", f"sha{bits}") for bits in (256, 384, 512)},
    **{f"RS{bits}": Algorithm("rsa", f"sha{bits}") for bits in (256, 384, 512)},
    **{f"PS{bits}": Algorithm("rsa", f"sha{bits}", pss=True) for bits in (256, 384, 512)},
    **{f"ES{bits}": Algorithm("ec", f"sha{bits}") for bits in (256, 384, 512)},
    "EdDSA": Algorithm("ed"),
}

_NEEDED: Final = {
    "oct": ("[]byte", "keyconv: failed to produce []byte"),
    "rsa": ("*rsa.PrivateKey", "failed to produce rsa.PrivateKey"),
    "ec": ("*ecdsa.PrivateKey", "keyconv: failed to produce ecdsa.PrivateKey"),
    "ed": ("ed25519.PrivateKey", "failed to produce ed25519.PrivateKey"),
}


def mac(secret: bytes, message: bytes, digest: str) -> bytes:
    """An HMAC."""
    return hmac.new(secret, message, digest).digest()


def verify(
    key: Key, algorithm: Algorithm, message: bytes, signature: bytes, *, lenient: bool = False
) -> bool:
    """Whether a key made this signature.

    ``lenient`` is the way of ``io.jwt.verify_*``: PSS salts and ECDSA halves may have any length.
    """
    from cryptography.exceptions import InvalidSignature

    if key.family != algorithm.family:
        return False
    if key.family == "oct":
        return hmac.compare_digest(mac(key.value, message, algorithm.digest), signature)
    public = key.public()
    try:
        if key.family == "rsa":
            public.verify(signature, message, _padding(algorithm, salt=lenient), _hash(algorithm))
        elif key.family == "ec":
            _verify_ec(public, message, signature, _hash(algorithm), lenient=lenient)
        else:
            public.verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _verify_ec(
    public: Any, message: bytes, signature: bytes, digest: HashAlgorithm, *, lenient: bool
) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    size = (public.curve.key_size + 7) // 8
    if lenient:
        size = len(signature) // 2
    elif len(signature) != 2 * size:
        raise ValueError
    halves = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    public.verify(utils.encode_dss_signature(*halves), message, ec.ECDSA(digest))


def sign(key: Key, name: str, message: bytes) -> bytes:
    """Sign with the algorithm of this name. Raises BuiltinFault where the key is not for it."""
    algorithm = ALGORITHMS[name]
    if key.family != algorithm.family or not key.private:
        needed, failed = _NEEDED[algorithm.family]
        raise BuiltinFault(
            f"jwsbb.Sign: invalid key type *jwk.{key.name}. {needed} is required: {failed} from "
            f"*jwk.{key.name}: jwk.Export: no suitable exporter found for key type '*jwk.{key.name}'",
        )
    if key.family == "oct":
        return mac(key.value, message, algorithm.digest)
    try:
        if key.family == "rsa":
            made: bytes = key.value.sign(message, _padding(algorithm, salt=False), _hash(algorithm))
        elif key.family == "ec":
            made = _sign_ec(key.value, message, _hash(algorithm))
        else:
            made = key.value.sign(message)
    except ValueError:  # a modulus too small for the digest
        raise BuiltinFault("crypto/rsa: message too long for RSA key size") from None
    return made


def _sign_ec(private: Any, message: bytes, digest: HashAlgorithm) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    size = (private.curve.key_size + 7) // 8
    r, s = utils.decode_dss_signature(private.sign(message, ec.ECDSA(digest)))
    return r.to_bytes(size) + s.to_bytes(size)


def _hash(algorithm: Algorithm) -> HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    found: HashAlgorithm = getattr(hashes, algorithm.digest.upper())()
    return found


def _padding(algorithm: Algorithm, *, salt: bool) -> AsymmetricPadding:
    """The padding; ``salt``: of any length."""
    from cryptography.hazmat.primitives.asymmetric import padding

    if not algorithm.pss:
        return padding.PKCS1v15()
    length = padding.PSS.AUTO if salt else padding.PSS.DIGEST_LENGTH
    return padding.PSS(mgf=padding.MGF1(_hash(algorithm)), salt_length=length)
