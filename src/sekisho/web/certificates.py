"""Certificates as PEM, and the TLS contexts made of them."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sekisho.diag import Limit
from sekisho.web import codes
from sekisho.web.exchange import Identity, Tls, Trust
from sekisho.web.failures import WebError, failure

BUNDLE: Final = Limit("a CA bundle", 2_000_000, "bytes", "the bundle of a whole system is a tenth of that")

VERSIONS: Final = {Tls.V12: ssl.TLSVersion.TLSv1_2, Tls.V13: ssl.TLSVersion.TLSv1_3}

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]*)-----END \1-----")
_CERTIFICATE: Final = "CERTIFICATE"


def blocks(pem: str) -> Iterator[tuple[str, bytes]]:
    """The blocks of a PEM text: what each is, and its bytes. Other text between them is skipped."""
    for block in _BLOCK.finditer(pem):
        try:
            yield block[1], b64decode("".join(block[2].split()), validate=True)
        except Base64Error:
            continue


def check(certificate: bytes) -> str:
    """Why these bytes are no certificate (DER); empty if they are one."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificate)
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or "malformed"
        return str(reason).replace("_", " ").lower()
    return ""


def context_of(trust: Trust) -> ssl.SSLContext:
    """The TLS context for a client. Raises WebError (CLU009) for what cannot be used.

    Certificates and names are verified. Any certificate of the bundle ends a chain, be it a root or not, as
    in Go; names are those of subjectAltName only.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = VERSIONS[trust.minimum]
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if trust.ca:
        _load_bundle(context, trust.ca)
    if trust.system or not trust.ca:
        context.load_default_certs()
    if trust.identity:
        load_identity(context, trust.identity)
    return context


def _load_bundle(context: ssl.SSLContext, pem: str) -> None:
    if BUNDLE.exceeded_by(len(pem)):
        raise WebError(failure(codes.BAD_CERTIFICATE, str(BUNDLE)))
    loaded = 0
    for label, content in blocks(pem):
        if label == _CERTIFICATE and not check(content):
            context.load_verify_locations(cadata=content)
            loaded += 1
    if not loaded:
        raise WebError(failure(codes.BAD_CERTIFICATE, "the CA bundle has no certificate that can be used"))


def load_identity(context: ssl.SSLContext, identity: Identity) -> None:
    """Give a context a chain and its key. Raises WebError (CLU009).

    OpenSSL reads them from a file only, so they are one for a moment.
    """
    with _private_file(f"{identity.chain}\n{identity.key.reveal()}\n".encode()) as path:
        try:
            context.load_cert_chain(path, password=_no_password)
        except (ssl.SSLError, OSError, ValueError) as error:
            reason = (getattr(error, "reason", None) or "they are malformed").replace("_", " ").lower()
            message = f"the certificate and key cannot be used: {reason}"
            raise WebError(failure(codes.BAD_CERTIFICATE, message)) from None


def _no_password() -> str:
    """Nobody is asked for the password of a key, as OpenSSL would on the terminal."""
    raise ValueError("the key is encrypted")


@contextmanager
def _private_file(content: bytes) -> Iterator[str]:
    """The path of a file that only this user can read, in memory where the system can do that."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("identity")
        try:
            os.write(file, content)
            yield f"/proc/self/fd/{file}"
        finally:
            os.close(file)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "identity.pem")
        path.touch(mode=0o600)
        path.write_bytes(content)
        yield str(path)
