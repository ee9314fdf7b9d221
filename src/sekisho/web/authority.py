"""A certificate authority of one's own: what it issues to servers and clients, and what it reads back.

Keys are P-256: small, fast, and known to every client. Everything is PEM.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from sekisho.diag import Secret
from sekisho.web import codes
from sekisho.web.certificates import VERSIONS, load_identity
from sekisho.web.exchange import Identity, Tls
from sekisho.web.failures import WebError, failure

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY_LASTS: Final = timedelta(days=3650)
"""As kubeadm's: longer than any folder of a cluster is kept."""

ISSUED_LASTS: Final = timedelta(days=365)
"""As kubeadm's; they are issued anew at every start."""

SKEW: Final = timedelta(minutes=5)
"""How far behind the clock of who checks may be."""

KNOWN: Final = 1_024
"""Certificates whose names are remembered: every request of a client shows the same one."""


class Name(NamedTuple):
    """Whom a certificate names: the common name and the organizations of its subject."""

    user: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate and the key to issue others. ``make`` a new one, or ``load`` what ``pem`` gave."""

    certificate: str
    key: Secret[str]

    @classmethod
    def make(cls, name: str, *, now: datetime | None = None) -> Authority:
        """A new authority, whose time begins ``now``."""
        from cryptography import x509

        key = _new_key()
        builder = _builder(_subject(Name(name)), _subject(Name(name)), key, (now, AUTHORITY_LASTS))
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs=True), critical=True)
        return cls(certificate=_sign(builder, key), key=Secret(_key_pem(key)))

    @classmethod
    def load(cls, certificate: str, key: Secret[str]) -> Authority:
        """An authority that was kept. Raises WebError (CLU009) if it cannot be used."""
        from cryptography.exceptions import UnsupportedAlgorithm

        found = cls(certificate=certificate, key=key)
        try:
            usable = found._private_key().public_key() == found._own().public_key()
        except (ValueError, TypeError, UnsupportedAlgorithm):
            usable, why = False, "the certificate or the key is malformed"
        else:
            why = "the key is not that of the certificate"
        if not usable:
            raise WebError(failure(codes.BAD_CERTIFICATE, f"the certificate authority cannot be used: {why}"))
        return found

    def issue_server(self, names: Sequence[str], *, now: datetime | None = None) -> Identity:
        """A certificate for a server that is reached under these names and addresses; it begins ``now``."""
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID

        known = x509.SubjectAlternativeName([_alternative(name) for name in names])
        return self._issue(Name(names[0]), ExtendedKeyUsageOID.SERVER_AUTH, known, now=now)

    def issue_client(self, name: Name) -> Identity:
        """A certificate for a client of this name."""
        from cryptography.x509.oid import ExtendedKeyUsageOID

        return self._issue(name, ExtendedKeyUsageOID.CLIENT_AUTH)

    def _issue(
        self,
        name: Name,
        use: x509.ObjectIdentifier,
        *more: x509.ExtensionType,
        now: datetime | None = None,
    ) -> Identity:
        from cryptography import x509

        key = _new_key()
        builder = _builder(_subject(name), self._own().subject, key, (now, ISSUED_LASTS))
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._private_key().public_key())
        builder = builder.add_extension(own, critical=False)
        for extension in more:
            builder = builder.add_extension(extension, critical=False)
        return Identity(chain=_sign(builder, self._private_key()), key=Secret(_key_pem(key)))

    def _own(self) -> x509.Certificate:
        from cryptography import x509

        return x509.load_pem_x509_certificate(self.certificate.encode())

    def _private_key(self) -> EllipticCurvePrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        found = load_pem_private_key(self.key.reveal().encode(), password=None)
        if not isinstance(found, EllipticCurvePrivateKey):
            raise TypeError("the key is not one of an elliptic curve")
        return found


def server_context(identity: Identity, clients: str = "", *, minimum: Tls = Tls.V12) -> ssl.SSLContext:
    """The TLS context of a server. ``clients`` is the authority of clients (PEM).

    With it, clients may show a certificate; one that this authority has not issued for a client, or that is
    over, ends the handshake. Raises WebError (CLU009) for what cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[minimum]
    context.set_alpn_protocols(["http/1.1"])
    load_identity(context, identity)
    if clients:
        try:
            context.load_verify_locations(cadata=clients)
        except ssl.SSLError as error:
            message = f"the authority of clients cannot be used: {error.reason}"
            raise WebError(failure(codes.BAD_CERTIFICATE, message)) from None
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


@lru_cache(maxsize=KNOWN)
def name_of(certificate: bytes) -> Name:
    """Whom a certificate (DER) names; empty for what is no certificate. TLS has verified it before."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        subject = x509.load_der_x509_certificate(certificate).subject
    except ValueError:
        return Name("")
    user = [str(row.value) for row in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = [str(row.value) for row in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    return Name(user[0] if user else "", tuple(groups))


def _new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _subject(name: Name) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in name.groups]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, name.user)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    time: tuple[datetime | None, timedelta],
) -> x509.CertificateBuilder:
    """A certificate from a moment on (None for this one), for as long as that."""
    from cryptography import x509

    begin, lasts = time
    now = begin or datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - SKEW).not_valid_after(now + lasts)


def _usage(*, signs: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _sign(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _key_pem(key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization as form

    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()


def validity(certificate: str) -> tuple[datetime, datetime] | None:
    """From when and until when the first certificate of a PEM text holds; None if there is none."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(certificate.encode())
    except ValueError:
        return None
    return found.not_valid_before_utc, found.not_valid_after_utc


def is_issued_by(certificate: str, authority: str) -> bool:
    """Whether the first certificate of one PEM text was issued by that of the other."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        found = x509.load_pem_x509_certificate(certificate.encode())
        found.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.encode()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def names_in(certificate: str) -> frozenset[str]:
    """The names and addresses of the server that the first certificate of a PEM text is for."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(certificate.encode()).extensions
        names = found.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return frozenset()
    addresses = (str(row) for row in names.get_values_for_type(x509.IPAddress))
    return frozenset((*names.get_values_for_type(x509.DNSName), *addresses))
