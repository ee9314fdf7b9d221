"""What goes wrong on the network, as diagnostics.

``translate`` is given what aiohttp, ssl or the system raised, and tells it in our words: the same trouble in
the same words each time, so that reports can be compared. It goes by the standard library's exceptions, which
aiohttp's are made of or carry, so that it need not import aiohttp.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Final

from sekisho.diag import Code, Diagnostic, DiagnosticError
from sekisho.web import codes


class WebError(DiagnosticError):
    """There is no answer, or none that can be used: nobody was asked, so it is neither a yes nor a no."""

    @property
    def code(self) -> Code:
        """What went wrong."""
        return self.diagnostics[0].code

    @property
    def message(self) -> str:
        """The same in words."""
        return self.diagnostics[0].message


def failure(code: Code, message: str, help: str = "") -> Diagnostic:
    """The diagnostic for a failure."""
    return Diagnostic(code=code, message=message, help=help)


_CERTIFICATE: Final[Mapping[int, str]] = {
    9: "it is not valid yet; look at the clocks on both sides",
    10: "it has expired; let the server have a new one",
    18: "it vouches for itself; put it into the CA bundle if it is the right one",
    19: "the CA bundle does not have the CA at the end of its chain",
    20: "the CA bundle does not have the CA that issued it",
    21: "the CA bundle does not have the CA that issued it",
    62: "it is for another host; the URL must use a name that the certificate has",
    64: "it is for another address; the URL must use a name or an address that the certificate has",
}
"""What to do, by OpenSSL's number (X509_V_ERR_…)."""

_TLS: Final[Mapping[str, tuple[str, str]]] = {
    "TLSV1_ALERT_PROTOCOL_VERSION": ("it does not speak a version of TLS that is new enough", ""),
    "UNSUPPORTED_PROTOCOL": ("it does not speak a version of TLS that is new enough", ""),
    "WRONG_VERSION_NUMBER": ("it does not speak TLS", "is that a port for plain HTTP?"),
    "RECORD_LAYER_FAILURE": ("it does not speak TLS", "is that a port for plain HTTP?"),
    "HTTP_REQUEST": ("it does not speak TLS", "is that a port for plain HTTP?"),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": ("it asks for a client's certificate", "give one"),
    "TLSV1_ALERT_UNKNOWN_CA": ("it does not trust the client's certificate", ""),
    "SSLV3_ALERT_BAD_CERTIFICATE": ("it does not accept the client's certificate", ""),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": ("it refuses the handshake", ""),
}
"""The words for OpenSSL's reasons, and what to do."""

_REACHED: Final[Mapping[int, str]] = {
    errno.ECONNREFUSED: "the connection is refused",
    errno.EHOSTUNREACH: "there is no way to the host",
    errno.ENETUNREACH: "there is no way to the network",
    errno.ETIMEDOUT: "nothing answers",
    errno.EACCES: "the system does not allow it",
    errno.EPERM: "the system does not allow it",
}


def translate(error: BaseException, url: str) -> WebError:
    """The failure that a library's exception is; ``url`` is as diagnostics show it."""
    chain = tuple(_causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = cause.verify_message or str(cause)
            message = f"the certificate of {url} is not trusted: {reason}"
            return WebError(failure(codes.UNTRUSTED, message, _CERTIFICATE.get(cause.verify_code, "")))
    for cause in chain:
        if isinstance(cause, ssl.SSLError):
            reason = cause.reason or "the handshake fails"
            words, help = _TLS.get(reason, (reason.replace("_", " ").lower(), ""))
            return WebError(failure(codes.NO_TLS, f"no TLS connection to {url}: {words}", help))
    for cause in chain:
        if isinstance(cause, socket.gaierror):
            return WebError(failure(codes.UNREACHABLE, f"{url} cannot be reached: its name is not known"))
    for cause in chain:
        # Before a connection there are exactly these; a connection that breaks is another matter.
        if isinstance(cause, OSError) and cause.errno in _REACHED:
            words = _REACHED[cause.errno or 0]
            return WebError(failure(codes.UNREACHABLE, f"{url} cannot be reached: {words}"))
    words = "the connection breaks off" if isinstance(error, OSError) else "it is not HTTP"
    return WebError(failure(codes.BROKEN, f"there is no sound answer from {url}: {words}"))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exceptions that an exception carries or was raised for, itself among them if it carries none."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        item = waiting.pop()
        if item is None or id(item) in seen:
            continue
        seen.add(id(item))
        inner = getattr(item, "certificate_error", None) or getattr(item, "os_error", None)
        if isinstance(inner, BaseException):
            # aiohttp's own are of the carried one's class too, but have none of its fields.
            waiting.append(inner)
            continue
        yield item
        waiting += [item.__context__, item.__cause__]
