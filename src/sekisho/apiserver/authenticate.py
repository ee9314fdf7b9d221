"""Who asks: client certificates, tokens, and those who speak for somebody else.

Steps: a certificate that TLS has verified names a user (common name) and groups (organizations); else a
bearer token is looked up, and one that nobody has given is refused with 401; else it is a stranger. Then the
user may be replaced by the one that ``Impersonate-`` headers name, for those who may do that.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from sekisho.apiserver import status
from sekisho.apiserver.authorize import (
    ANONYMOUS,
    AUTHENTICATED,
    SERVICE_ACCOUNT,
    UNAUTHENTICATED,
    Attributes,
    Authorizer,
    check,
)
from sekisho.diag import Secret
from sekisho.kube.review import UserInfo
from sekisho.web import server as web
from sekisho.web.authority import name_of

if TYPE_CHECKING:
    from sekisho.apiserver.tokens import ServiceAccountTokens

IMPERSONATE: Final = "impersonate-"
USER, UID, GROUP, EXTRA = (f"{IMPERSONATE}{row}" for row in ("user", "uid", "group", "extra-"))

Token = Callable[[str], UserInfo | None]
"""Whose a token is; None if it is not one of those that this knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticToken:
    """One token and who has it."""

    token: Secret[str]
    user: UserInfo

    def __call__(self, token: str) -> UserInfo | None:
        """Compared in constant time."""
        same = hmac.compare_digest(token.encode(), self.token.reveal().encode())
        return self.user if same else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """How callers are known: by a certificate, or by the first of ``tokens`` that knows theirs.

    ``accounts`` gives out tokens of service accounts and knows them; None: there are none.
    """

    tokens: Sequence[Token] = field(default_factory=tuple)
    accounts: ServiceAccountTokens | None = None

    def __call__(self, incoming: web.Incoming) -> UserInfo:
        """Who asks. Raises ApiError (401) for credentials that nobody has."""
        if incoming.certificate:
            name = name_of(incoming.certificate)
            if not name.user:
                raise status.unauthorized()
            return known(UserInfo(username=name.user, groups=name.groups))
        kind, _, token = incoming.headers.get("Authorization", "").partition(" ")
        token = token.strip()
        if kind.lower() == "bearer" and token:
            found = self.whose(token)
            if found is None:
                raise status.unauthorized()
            return found
        return ANONYMOUS

    def whose(self, token: str) -> UserInfo | None:
        """Whose a token is, None if nobody's."""
        own: list[Token] = [self.accounts] if self.accounts is not None else []
        for lookup in (*self.tokens, *own):
            user = lookup(token)
            if user is not None:
                return known(user)
        return None


def known(user: UserInfo) -> UserInfo:
    """A user with the group of all whom the server knows."""
    if AUTHENTICATED in user.groups:
        return user
    return replace(user, groups=(*user.groups, AUTHENTICATED))


async def impersonated(
    user: UserInfo, headers: Iterable[tuple[str, str]], authorizer: Authorizer
) -> UserInfo:
    """Who a request is to count as. Raises ApiError (400, 403).

    Every name that is taken on is a question of its own to the authorizer, with the verb ``impersonate``.
    """
    rows = [(name.lower(), value) for name, value in headers if name.lower().startswith(IMPERSONATE)]
    if not rows:
        return user
    names = [value for name, value in rows if name == USER]
    groups = [value for name, value in rows if name == GROUP]
    uid = next((value for name, value in rows if name == UID), "")
    extra: dict[str, tuple[str, ...]] = {}
    for name, value in rows:
        if name.startswith(EXTRA):
            key = unquote(name.removeprefix(EXTRA))
            extra[key] = (*extra.get(key, ()), value)
    if not names or not names[0]:
        raise status.ApiError(
            500, "InternalError", "Internal error occurred: requested to impersonate without a user"
        )
    for question in _questions(user, names[0], groups, uid, extra):
        await check(authorizer, question)
    return _as(names[0], groups, uid, extra)


def _questions(
    user: UserInfo, name: str, groups: Sequence[str], uid: str, extra: Mapping[str, tuple[str, ...]]
) -> Iterable[Attributes]:
    account = name.removeprefix(SERVICE_ACCOUNT)
    if account != name and account.count(":") == 1:
        namespace, _, short = account.partition(":")
        yield Attributes(
            user=user,
            verb="impersonate",
            version="v1",
            resource="serviceaccounts",
            namespace=namespace,
            name=short,
        )
    else:
        yield Attributes(user=user, verb="impersonate", version="v1", resource="users", name=name)
    for group in groups:
        yield Attributes(user=user, verb="impersonate", version="v1", resource="groups", name=group)
    authentication = "authentication.k8s.io"
    if uid:
        yield Attributes(
            user=user, verb="impersonate", group=authentication, version="v1", resource="uids", name=uid
        )
    for key, values in extra.items():
        for value in values:
            yield Attributes(
                user=user,
                verb="impersonate",
                group=authentication,
                version="v1",
                resource="userextras",
                subresource=key,
                name=value,
            )


def _as(name: str, groups: Sequence[str], uid: str, extra: Mapping[str, tuple[str, ...]]) -> UserInfo:
    found = list(groups)
    if not found and name.startswith(SERVICE_ACCOUNT):
        namespace = name.removeprefix(SERVICE_ACCOUNT).partition(":")[0]
        found = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    if name == ANONYMOUS.username:
        found = [*found, UNAUTHENTICATED] if UNAUTHENTICATED not in found else found
    elif AUTHENTICATED not in found and UNAUTHENTICATED not in found:
        found.append(AUTHENTICATED)
    return UserInfo(username=name, uid=uid, groups=tuple(found), extra=extra or None)
