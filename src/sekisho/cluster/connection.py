"""How an API server is reached, and who asks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sekisho.diag import Secret
from sekisho.web import Identity, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a client shows: a bearer token, or a certificate, or both."""

    token: Secret[str] | None = None
    identity: Identity | None = None


NOBODY: Final = Credentials()

Provide = Callable[[bool], Credentials]
"""Gives the credentials of the moment; true asks for new ones, since the old ones were refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impersonation:
    """As whom the user acts."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def headers(self) -> list[tuple[str, str]]:
        """The headers that say so."""
        rows = [("Impersonate-User", self.user), ("Impersonate-Uid", self.uid)]
        rows += [("Impersonate-Group", group) for group in self.groups]
        rows += [
            (f"Impersonate-Extra-{_escaped(key)}", value)
            for key, values in self.extra.items()
            for value in values
        ]
        return [(name, value) for name, value in rows if value]


def _escaped(key: str) -> str:
    """A key of ``extra`` as a header may have it (percent-encoded, as client-go does)."""
    from urllib.parse import quote

    return quote(key, safe="!#$&'*+-.^_`|~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One API server, for one user. ``namespace`` is where requests go that name none."""

    server: str
    trust: Trust
    credentials: Provide
    namespace: str = "default"
    proxy: str = ""
    impersonate: Impersonation = field(default_factory=Impersonation)
    context: str = ""
