"""How a registry wants to know who asks: challenges, and the tokens that answer them.

The distribution specification's token authentication (docs/spec/auth in distribution): a refused request
names a realm, which gives a token for a scope, to nobody or for credentials; or it asks for the password.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from sekisho.diag import Deadline, Limit, Secret
from sekisho.oci import codes
from sekisho.oci.content import problem
from sekisho.oci.credentials import Login
from sekisho.web import Request, Trust, WebError, shown
from sekisho.web.asyncclient import AsyncClient

ANSWER: Final = Limit("the answer of a token service", 256 * 1024, "bytes", "tokens have some kilobytes")

LASTS: Final = 60.0
"""Seconds that a token lasts which does not say so: the specification's."""

EARLY: Final = 10.0
"""Seconds before its end from which a token is not used, since clocks and networks take time."""

CLIENT: Final = "sekisho"

_SCHEME: Final = re.compile(r"\s*([A-Za-z]+)\s+")
_PARAMETER: Final = re.compile(r'\s*([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a registry asks for: ``bearer`` with a realm, or ``basic``."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def challenge_of(headers: tuple[str, ...]) -> Challenge | None:
    """The challenge of WWW-Authenticate headers that can be met, None if there is none."""
    for text in headers:
        start = _SCHEME.match(text + " ")
        scheme = start[1].lower() if start else ""
        if scheme == "basic":
            return Challenge(scheme="basic")
        if start is None or scheme != "bearer":
            continue
        rows = {
            name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(text, start.end())
        }
        if rows.get("realm"):
            return Challenge(
                scheme="bearer",
                realm=rows["realm"],
                service=rows.get("service", ""),
                scope=rows.get("scope", ""),
            )
    return None


@dataclass(frozen=True, slots=True)
class Token:
    """A header, and until when it holds (monotonic seconds)."""

    header: Secret[str]
    until: float = field(default=float("inf"))

    def holds(self, now: float) -> bool:
        """Whether it can be used now."""
        return now < self.until - EARLY


async def token(
    web: AsyncClient,
    challenge: Challenge,
    login: Login | None,
    scope: str,
    *,
    trust: Callable[[str], tuple[Trust, bool]],
    deadline: Deadline,
) -> Token:
    """The token that meets a challenge.

    ``trust`` says whom to trust at a URL, and whether http is allowed there. Raises DiagnosticError: OCI004
    where it is refused, OCI003 where the service could not be asked.
    """
    if challenge.scheme == "basic":
        if login is None or not login.basic():
            raise problem(codes.REFUSED, "the registry wants a user and a password, and there are none")
        return Token(Secret(login.basic()))
    place = shown(challenge.realm)
    whom, plain = trust(challenge.realm)
    if urlsplit(challenge.realm).scheme != "https" and not plain:
        raise problem(codes.REFUSED, f"the registry sends to {place} for a token, which is not https")
    request = Request(
        url="",
        trust=whom,
        plain=plain,
        limit=ANSWER,
        seconds=max(deadline.remaining(), 0.001),
        repeatable=True,
    )
    asked = _identity(challenge, login, scope) or _anonymous(challenge, login, scope)
    try:
        response = await web.send(replace(request, **asked), deadline=deadline)
    except WebError as error:
        raise problem(codes.NOT_ASKED, f"no token from {place}: {error.message}") from None
    if response.status >= 500 or response.status == 429:
        raise problem(codes.NOT_ASKED, f"no token from {place}: HTTP status {response.status}")
    if response.status != 200:
        who = "the credentials are" if login is not None else "asking as nobody is"
        raise problem(
            codes.REFUSED, f"no token from {place}: {who} refused with HTTP status {response.status}"
        )
    try:
        return _read(response.json())
    except (WebError, ValueError):
        raise problem(codes.NOT_ASKED, f"what {place} answered is no token") from None


def _anonymous(challenge: Challenge, login: Login | None, scope: str) -> dict[str, Any]:
    query = urlencode(
        {key: value for key, value in (("service", challenge.service), ("scope", scope)) if value}
    )
    joint = "&" if "?" in challenge.realm else "?"
    basic = login.basic() if login is not None else ""
    headers = {"Authorization": basic} if basic else {}
    return {"url": f"{challenge.realm}{joint if query else ''}{query}", "headers": headers}


def _identity(challenge: Challenge, login: Login | None, scope: str) -> dict[str, Any] | None:
    if login is None or login.identity is None:
        return None
    form = {
        "grant_type": "refresh_token",
        "service": challenge.service,
        "client_id": CLIENT,
        "scope": scope,
        "refresh_token": login.identity.reveal(),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return {"url": challenge.realm, "method": "POST", "headers": headers, "body": urlencode(form).encode()}


def _read(value: Any) -> Token:
    rows: Mapping[str, Any] = value if isinstance(value, dict) else {}
    text = rows.get("token") or rows.get("access_token")
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        raise ValueError("no token")
    lasts = rows.get("expires_in")
    seconds = float(lasts) if isinstance(lasts, int) and not isinstance(lasts, bool) and lasts > 0 else LASTS
    return Token(Secret(f"Bearer {text}"), time.monotonic() + max(seconds, EARLY + 1))
