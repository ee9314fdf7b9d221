"""Requests and answers: what is sent, whom it trusts, how much may come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sekisho.diag import Limit
from sekisho.diag.depth import deeper_than
from sekisho.web import codes
from sekisho.web.failures import WebError, failure

if TYPE_CHECKING:
    from sekisho.diag import Secret

BODY: Final = Limit("an answer", 16_000_000, "bytes", "it is held in memory whole")
DEPTH: Final = Limit(
    "JSON of an answer", 200, "levels", "deeper values overflow the stack of those who read them"
)
FOLLOWED: Final = Limit("redirects of a request", 5, "hops", "more go in a circle")

NONE: Final[Mapping[str, str]] = MappingProxyType({})

PORTS: Final[Mapping[str, int]] = {"https": 443, "http": 80}


class Tls(Enum):
    """The oldest version of TLS that is spoken."""

    V12 = "1.2"
    V13 = "1.3"


class Redirects(Enum):
    """What is done about an answer that names another URL."""

    ANSWER = "answer"
    """It is the answer."""
    SAME_ORIGIN = "same-origin"
    """It is followed on the same host and port, and refused elsewhere."""
    ANYWHERE = "anywhere"
    """It is followed wherever the client may ask; credentials stay behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The certificate that a client shows: a chain and its key, both PEM."""

    chain: str
    key: Secret[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom to trust. ``ca`` is a bundle of certificates (PEM), empty for those of the system.

    ``system``: those of the system beside the bundle.
    ``name`` is the name that the server's certificate must have, empty for the host of the URL.
    """

    ca: str = ""
    system: bool = False
    minimum: Tls = Tls.V12
    identity: Identity | None = None
    name: str = ""


SYSTEM: Final = Trust()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. ``seconds`` is how long it may take, connecting and redirects included.

    ``plain`` allows http. ``repeatable``: sending it twice does no harm, so it is sent again where a
    connection that was kept open turns out to be gone. ``tries`` is how often it is sent in all while there
    is no answer. ``proxy`` is the URL of a proxy. ``more`` are headers that
    may repeat a name.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=lambda: NONE)
    body: bytes = b""
    trust: Trust = SYSTEM
    seconds: float = 10.0
    connect_seconds: float = 5.0
    limit: Limit = BODY
    redirects: Redirects = Redirects.ANSWER
    plain: bool = False
    tries: int = 1
    repeatable: bool = False
    proxy: str = ""
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer. Names of headers are in lower case; ``url`` is where it came from."""

    url: str
    status: int
    reason: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    body: bytes = b""

    def json(self, depth: Limit = DEPTH) -> Any:
        """The body's value; integers of up to 64 bits are exact. Raises WebError (CLU010)."""
        import orjson

        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            what = "nothing" if not self.body.strip() else f"not JSON: {error.msg} at byte {error.pos}"
            raise WebError(failure(codes.NOT_JSON, f"the answer of {shown(self.url)} is {what}")) from None
        if deeper_than(value, depth.value):
            raise WebError(failure(codes.NOT_JSON, f"the answer of {shown(self.url)} is refused: {depth}"))
        return value


def shown(url: str) -> str:
    """A URL as diagnostics show it: without credentials, query and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "the URL"
    return f"{parts.scheme}://{host}{parts.path}"


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL. Raises WebError (CLU008) for one that has no host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise WebError(failure(codes.BAD_URL, f"{shown(url)} cannot be asked: {error}")) from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not host:
        raise WebError(failure(codes.BAD_URL, f"{shown(url)} cannot be asked: it must be https://HOST/…"))
    return scheme, host, PORTS[scheme] if port is None else port
