"""HTTP and TLS: a client with limits, and what it trusts."""

from sekisho.web import codes
from sekisho.web.client import Client
from sekisho.web.exchange import Identity, Redirects, Request, Response, Tls, Trust, shown
from sekisho.web.failures import WebError

__all__ = [
    "Client",
    "Identity",
    "Redirects",
    "Request",
    "Response",
    "Tls",
    "Trust",
    "WebError",
    "codes",
    "shown",
]
