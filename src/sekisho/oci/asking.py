"""Questions to registries: tokens, redirects, tries, and bounds in time and size.

What a registry says is never taken for granted: sizes are bounded before they are read, redirects lose
credentials, and nobody is waited for beyond the deadline. That a registry is down, slow, overloaded or broken
is OCI003, and that it wants other credentials OCI004.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol
from urllib.parse import urljoin, urlsplit

import orjson

from sekisho.diag import Deadline, DiagnosticError, Limit
from sekisho.oci import codes
from sekisho.oci.content import MANIFEST_SIZE, problem
from sekisho.oci.credentials import Keychain, nobody
from sekisho.oci.flight import Flights
from sekisho.oci.reference import DOCKER
from sekisho.oci.tokens import Challenge, Token, challenge_of, token
from sekisho.web import Request, Trust, WebError, shown
from sekisho.web import codes as web_codes
from sekisho.web.asyncclient import AsyncClient, Stream
from sekisho.web.exchange import FOLLOWED, origin

HOSTS: Final[Mapping[str, str]] = {DOCKER: "registry-1.docker.io"}
"""Where a registry answers, if not at its name."""

BEGIN: Final = 10.0
"""Seconds for the beginning of one answer; what takes longer is asked again while there is time."""

IDLE: Final = 10.0
"""Seconds without a byte after which an answer counts as broken."""

TRIES: Final = 5
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
"""How often a question is asked in all, and seconds between: they double, with some chance in it."""

TROUBLE: Final = Limit("the words of a refusal", 64 * 1024, "bytes", "they are shown to people")

NO_REFERRERS: Final = 3600.0
"""Seconds for which it is remembered that a registry has no referrers API: it saves a question each time."""

_AGAIN: Final = frozenset({web_codes.UNREACHABLE, web_codes.BROKEN, web_codes.TIMEOUT})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_LATER: Final = frozenset({408, 429, 500, 502, 503, 504})
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How registries are asked. ``plain``: hosts (with their ports) that may be asked without TLS.

    Those on this machine always may. ``trust`` has bundles of its own for some hosts.
    """

    keychain: Keychain = nobody
    plain: frozenset[str] = frozenset()
    trust: Mapping[str, Trust] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question to one repository. ``path`` is within the registry's API, or a whole URL that it named."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    body: bytes = b""
    actions: str = "pull"
    limit: Limit = MANIFEST_SIZE
    absent: frozenset[int] = frozenset({404})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that is no trouble; ``status`` may be one of the question's ``absent``."""

    status: int
    headers: Mapping[str, tuple[str, ...]]
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """The first value of a header."""
        return self.headers.get(name, ("",))[0]


class Named(Protocol):
    """The repository that a question is about."""

    @property
    def registry(self) -> str:
        """The registry's name."""
        ...

    @property
    def name(self) -> str:
        """Its own name there."""
        ...


class Registries:
    """Asks any registry, in the event loop that it is made in. ``repository`` gives a ``Source``."""

    def __init__(self, options: Options = Options()) -> None:
        self._options = options
        self._web = AsyncClient()
        self._challenges: dict[str, Challenge] = {}
        self._tokens: dict[tuple[str, str], Token] = {}
        self._flights: Flights[tuple[str, str], Token] = Flights()
        self._without_referrers: dict[str, float] = {}
        self.asked = 0

    async def close(self) -> None:
        """Close all connections."""
        await self._web.close()

    async def __aenter__(self) -> Registries:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def has_referrers(self, registry: str) -> bool:
        """Whether a registry may have the referrers API, as far as is known."""
        return time.monotonic() >= self._without_referrers.get(registry, 0.0)

    def lacks_referrers(self, registry: str) -> None:
        """It has none."""
        self._without_referrers[registry] = time.monotonic() + NO_REFERRERS

    async def ask(self, repository: Named, ask: Ask, *, deadline: Deadline) -> Reply:
        """The answer to a question. Raises DiagnosticError: OCI003, OCI004, OCI007."""
        async with self.open(repository, ask, deadline=deadline) as stream:
            body = await _whole(repository, stream, ask, deadline)
            return Reply(status=stream.status, headers=stream.headers, body=body)

    @asynccontextmanager
    async def open(self, repository: Named, ask: Ask, *, deadline: Deadline) -> AsyncIterator[Stream]:
        """The beginning of an answer, asked for again as long as that helps; its body is still to be read."""
        pause = FIRST_PAUSE
        for tried in range(1, TRIES + 1):
            async with AsyncExitStack() as stack:
                try:
                    stream = await self._begin(stack, repository, ask, deadline)
                except WebError as error:
                    if error.code not in _AGAIN or tried == TRIES:
                        raise not_asked(repository, error.message) from None
                    wait, why = pause, error.message
                else:
                    if stream.status < 400 or stream.status in ask.absent:
                        yield stream
                        return
                    said = await _trouble(stream, deadline)
                    if stream.status not in _LATER:
                        raise _refused(repository, stream.status, said)
                    why = f"HTTP status {stream.status}{said}"
                    if tried == TRIES:
                        raise not_asked(repository, why)
                    wait = _retry_after(stream) or pause
            wait *= random.uniform(1.0, 1.2)  # noqa: S311 - no secret depends on it
            if deadline.remaining() <= wait:
                raise not_asked(repository, f"{why}, and the deadline is near")
            await asyncio.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE)
        raise AssertionError("the last try ends it")

    async def _begin(self, stack: AsyncExitStack, repository: Named, ask: Ask, deadline: Deadline) -> Stream:
        """One try: with the token that is known, and once more with the one that is then asked for."""
        scope = f"repository:{repository.name}:{ask.actions}"
        known = self._tokens.get((repository.registry, scope))
        if known is None or not known.holds(time.monotonic()):
            challenge = self._challenges.get(repository.registry)
            known = await self._token(repository, challenge, scope, deadline) if challenge else None
        stream = await self._follow(stack, repository, ask, known, deadline)
        if stream.status != 401:
            return stream
        challenge = challenge_of(stream.headers.get("www-authenticate", ()))
        if challenge is None:
            return stream
        self._challenges[repository.registry] = challenge
        self._tokens.pop((repository.registry, scope), None)
        fresh = await self._token(repository, challenge, scope, deadline)
        return await self._follow(stack, repository, ask, fresh, deadline)

    async def _token(self, repository: Named, challenge: Challenge, scope: str, deadline: Deadline) -> Token:
        key = (repository.registry, scope)

        async def work() -> Token:
            # A keychain may read files and run programs.
            login = await asyncio.to_thread(self._options.keychain, repository.registry, repository.name)
            self.asked += challenge.scheme == "bearer"
            return await token(self._web, challenge, login, scope, trust=self._trust, deadline=deadline)

        found = await self._flights.ask(key, work)
        self._tokens[key] = found
        return found

    async def _follow(
        self,
        stack: AsyncExitStack,
        repository: Named,
        ask: Ask,
        known: Token | None,
        deadline: Deadline,
    ) -> Stream:
        """The answer after redirects; credentials are for the registry alone."""
        url = urljoin(self.base(repository.registry), ask.path)
        home = origin(url)
        for _ in range(FOLLOWED.value + 1):
            headers = dict(ask.headers)
            here = origin(url) == home
            if known is not None and here:
                headers["Authorization"] = known.header.reveal()
            trust, plain = self._trust(url)
            request = Request(
                url=url,
                method=ask.method,
                headers=headers,
                body=ask.body,
                trust=trust,
                plain=plain,
                seconds=max(min(BEGIN, deadline.remaining()), 0.001),
            )
            if deadline.passed():
                raise not_asked(repository, "the deadline has passed")
            self.asked += 1
            stream = await stack.enter_async_context(self._web.open(request, idle=IDLE))
            target = stream.headers.get("location", ("",))[0]
            if stream.status == 401 and not here:
                # Whom it would send us to for a token would get the credentials for the registry.
                raise not_asked(repository, f"it leads to {shown(url)}, which wants credentials of its own")
            if ask.method != "GET" or stream.status not in _MOVED or not target:
                return stream
            url = self._target(repository, url, target)
        raise not_asked(repository, f"it leads on and on: {FOLLOWED}")

    def _target(self, repository: Named, url: str, target: str) -> str:
        """Where a redirect leads. From TLS it does not lead to plain text."""
        try:
            found = urljoin(url, target)
            scheme, _, _ = origin(found)
        except (ValueError, WebError):
            raise not_asked(repository, "it leads to what is no URL") from None
        if scheme != "https" and not (self._trust(url)[1] and self._trust(found)[1]):
            raise not_asked(repository, f"it leads to {shown(found)}, which is not https")
        return found

    def base(self, registry: str) -> str:
        """The URL of a registry's API."""
        host = HOSTS.get(registry, registry)
        scheme = "http" if self._plain(host) else "https"
        return f"{scheme}://{host}/v2/"

    def _trust(self, url: str) -> tuple[Trust, bool]:
        """Whom to trust at a URL, and whether it may be asked without TLS."""
        host = urlsplit(url).netloc.rpartition("@")[2]
        return self._options.trust.get(host, Trust()), self._plain(host)

    def _plain(self, host: str) -> bool:
        if host in self._options.trust:
            return False
        name = urlsplit(f"//{host}").hostname or ""
        if host in self._options.plain or name == "localhost":
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


async def within(repository: Named, stream: Stream, deadline: Deadline) -> AsyncIterator[bytes]:
    """The pieces of an answer, until the deadline."""
    pieces = stream.pieces.__aiter__()
    while True:
        try:
            async with asyncio.timeout(max(deadline.remaining(), 0)):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise not_asked(repository, "its answer was not there before the deadline") from None
        except WebError as error:
            raise not_asked(repository, error.message) from None
        yield piece


async def _whole(repository: Named, stream: Stream, ask: Ask, deadline: Deadline) -> bytes:
    """The body, if it is not too long. Raises DiagnosticError (OCI003, OCI007)."""
    length = stream.headers.get("content-length", ("",))[0]
    chunks: list[bytes] = []
    size = int(length) if length.isascii() and length.isdigit() else 0
    if not ask.limit.exceeded_by(size):
        size = 0
        async for piece in within(repository, stream, deadline):
            size += len(piece)
            if ask.limit.exceeded_by(size):
                break
            chunks.append(piece)
    if ask.limit.exceeded_by(size):
        raise problem(codes.TOO_LARGE, f"the answer to {ask.path.partition('?')[0]} is refused: {ask.limit}")
    return b"".join(chunks)


async def _trouble(stream: Stream, deadline: Deadline) -> str:
    """What a registry says is wrong (the specification's form of errors), for people; empty if nothing."""
    body = b""
    try:
        async with asyncio.timeout(max(min(1.0, deadline.remaining()), 0)):
            async for piece in stream.pieces:
                body += piece
                if TROUBLE.exceeded_by(len(body)):
                    return ""
    except (TimeoutError, WebError):
        return ""
    try:
        (row, *_) = orjson.loads(body)["errors"]
        words = f"{row.get('code') or ''} {row.get('message') or ''}"
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return ""
    shown_words = "".join(letter for letter in words if letter.isprintable())[:200].strip()
    return f": {shown_words}" if shown_words else ""


def _retry_after(stream: Stream) -> float:
    text = stream.headers.get("retry-after", ("",))[0]
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0.0


def not_asked(repository: Named, why: str) -> DiagnosticError:
    """A registry that could not be asked: neither a yes nor a no."""
    return problem(codes.NOT_ASKED, f"{repository} could not be asked: {why}")


def _refused(repository: Named, status: int, said: str) -> DiagnosticError:
    return problem(codes.REFUSED, f"{repository}: the registry refuses with HTTP status {status}{said}")
