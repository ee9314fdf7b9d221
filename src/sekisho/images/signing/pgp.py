"""OpenPGP keys and signatures, by Sequoia (the extra ``pgp``).

The Grafeas schema says that verifiers use the serialized payload and not one inside the message; Kritis takes
the one inside. Here both must be the same bytes:

1. the message is one armored OpenPGP message or detached signature; a cleartext signature is refused, since
   what it covers is not the bytes that are shown;
2. Sequoia verifies it, with the certificate's own expiry and revocation, by the attestor's keys alone;
3. what an attached message holds is byte for byte the stored payload.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final

from sekisho.images.signing.keys import BadKeyError

EXTRA: Final = "OpenPGP keys need the extra pgp: pip install sekisho[pgp]"
ATTACHED: Final = b"-----BEGIN PGP MESSAGE-----"
DETACHED: Final = b"-----BEGIN PGP SIGNATURE-----"
SCHEME: Final = "openpgp4fpr:"


@dataclass(frozen=True, slots=True, kw_only=True)
class PgpKey:
    """An OpenPGP certificate; ``id`` is its fingerprint in upper-case hex."""

    id: str
    certificate: Any = field(repr=False, compare=False)


def pgp_key(armored: str) -> PgpKey:
    """Read an armored public key; raises BadKeyError, also where the extra is not installed."""
    if find_spec("pysequoia") is None:
        raise BadKeyError(EXTRA)
    from pysequoia import Cert

    try:
        certificate = Cert.from_bytes(armored.encode("utf-8"))
    except Exception:  # noqa: BLE001 - the library raises bare exceptions
        raise BadKeyError("it is not an armored OpenPGP public key") from None
    return PgpKey(id=certificate.fingerprint.upper(), certificate=certificate)


def is_named(key: PgpKey, key_id: str) -> bool:
    """Whether a signature's key id, if it has one, is this key's fingerprint."""
    return not key_id or key_id.removeprefix(SCHEME).upper() == key.id


def pgp_verifies(keys: Sequence[PgpKey], payload: bytes, message: bytes) -> PgpKey | None:
    """The key that a message over exactly ``payload`` is by, None if there is none."""
    from pysequoia import Sig, verify

    certificates = [key.certificate for key in keys]
    text = message.lstrip()
    try:
        if text.startswith(ATTACHED):
            found = verify(bytes=message, store=lambda _: certificates)
            if found.bytes != payload:
                return None
        elif text.startswith(DETACHED):
            found = verify(bytes=payload, store=lambda _: certificates, signature=Sig.from_bytes(message))
        else:
            return None
    except Exception:  # noqa: BLE001 - the library raises bare exceptions for every refusal
        return None
    by = {row.certificate.upper() for row in found.valid_sigs}
    return next((key for key in keys if key.id in by), None)
