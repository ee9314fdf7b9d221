"""The webhook's certificate and its authority: what is kept, and when it is made anew.

Kept as Gatekeeper keeps it, in four entries. A new authority comes with overlap: first both are in the
bundle that clients trust, and only when clients have that bundle the server shows a certificate of the new
one. So at no moment a client meets a certificate that it does not trust.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sekisho.diag import Secret
from sekisho.web import Identity, WebError
from sekisho.web.authority import Authority, is_issued_by, names_in, validity

ENTRIES: Final = ("ca.crt", "ca.key", "tls.crt", "tls.key")
"""Names of the entries of the Secret, and of the files in a folder: Gatekeeper's."""

AHEAD: Final = timedelta(days=90)
"""How long before its end a server's certificate is made anew (cert-controller's figure)."""

AUTHORITY_AHEAD: Final = timedelta(days=400)
"""How long before its end an authority is: longer than a certificate lasts that it issues."""

LAST: Final = timedelta(days=1)
"""With less time than this left, a new certificate is shown even if clients may not trust it yet."""

_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """``bundle`` has the authorities that clients trust, the newest first, of which ``authority_key`` is."""

    bundle: str
    authority_key: Secret[str]
    chain: str
    key: Secret[str]

    @classmethod
    def of(cls, entries: Mapping[str, str]) -> Kept | None:
        """What is kept in entries; None where one of them is missing."""
        rows = [entries.get(name, "") for name in ENTRIES]
        if not all(rows):
            return None
        bundle, authority_key, chain, key = rows
        return cls(bundle=bundle, authority_key=Secret(authority_key), chain=chain, key=Secret(key))

    def entries(self) -> dict[str, Secret[str]]:
        """As it is kept."""
        rows = (Secret(self.bundle), self.authority_key, Secret(self.chain), self.key)
        return dict(zip(ENTRIES, rows, strict=True))

    @property
    def identity(self) -> Identity:
        """What the server shows."""
        return Identity(chain=self.chain, key=self.key)

    def authorities(self) -> list[str]:
        """The authorities of the bundle, one by one."""
        return _CERTIFICATE.findall(self.bundle)


def renewed(kept: Kept | None, names: Sequence[str], now: datetime, *, trusted: str = "") -> Kept:
    """What is to be kept from now on; the same value where nothing is due.

    ``trusted`` is the bundle that clients have. Steps, of which each call takes at most one of 2 and 3:

    1. Without an authority that holds, everything is made anew.
    2. An authority that ends within ``AUTHORITY_AHEAD`` gets a successor, which clients are to trust too.
    3. A certificate that ends soon, is for other names, or was issued by a predecessor is made anew, once
       clients trust who issues it.
    4. Authorities that are over are left out of the bundle.
    """
    authority = _authority(kept)
    if kept is None or authority is None or not _holds(authority.certificate, now, timedelta(0)):
        return _made(names, now)
    if not _holds(authority.certificate, now, AUTHORITY_AHEAD):
        successor = Authority.make(NAME, now=now)
        bundle = successor.certificate + _pem(kept.authorities())
        return replace(kept, bundle=bundle, authority_key=successor.key)
    certificate = kept.chain
    sound = (
        _holds(certificate, now, AHEAD)
        and names_in(certificate) >= frozenset(names)
        and is_issued_by(certificate, authority.certificate)
    )
    known = authority.certificate.strip() in trusted or len(kept.authorities()) == 1
    if not sound and (known or not _holds(certificate, now, LAST)):
        identity = authority.issue_server(names, now=now)
        return replace(kept, chain=identity.chain, key=identity.key)
    holding = [row for row in kept.authorities() if _holds(row, now, timedelta(0))]
    return kept if len(holding) == len(kept.authorities()) else replace(kept, bundle=_pem(holding))


NAME: Final = "sekisho-ca"
"""The common name of authorities."""


def _made(names: Sequence[str], now: datetime) -> Kept:
    authority = Authority.make(NAME, now=now)
    identity = authority.issue_server(names, now=now)
    return Kept(
        bundle=authority.certificate, authority_key=authority.key, chain=identity.chain, key=identity.key
    )


def _authority(kept: Kept | None) -> Authority | None:
    """The newest authority with its key; None where they do not belong together."""
    if kept is None or not kept.authorities():
        return None
    try:
        return Authority.load(kept.authorities()[0], kept.authority_key)
    except WebError:
        return None


def _holds(certificate: str, now: datetime, ahead: timedelta) -> bool:
    found = validity(certificate)
    return found is not None and found[0] <= now and now + ahead < found[1]


def _pem(certificates: Sequence[str]) -> str:
    return "".join(row if row.endswith("\n") else f"{row}\n" for row in certificates)
