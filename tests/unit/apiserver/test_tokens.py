"""Tokens of service accounts, and attacks on them."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from sekisho.apiserver.store import About, Place, Row
from sekisho.apiserver.tokens import ISSUER, ServiceAccountTokens, key_of

ACCOUNT = Place("", "serviceaccounts", "default", "robot")
POD = Place("", "pods", "default", "web")


def row(place: Place, uid: str) -> Row:
    return Row(place, 1, b"{}", About(uid, {}, {}))


@pytest.fixture
def there() -> dict[Place, Row]:
    return {ACCOUNT: row(ACCOUNT, "u1"), POD: row(POD, "p1")}


@pytest.fixture
def tokens(tmp_path: Path, there: dict[Place, Row]) -> ServiceAccountTokens:
    return ServiceAccountTokens(key_of(tmp_path / "sa.key"), there.get)


def test_a_token_is_known_again(tokens: ServiceAccountTokens, there: dict[Place, Row]) -> None:
    issued = tokens.issue(there[ACCOUNT], bound=there[POD])
    found = tokens(issued.token)
    assert found is not None
    assert (found.username, found.uid) == ("system:serviceaccount:default:robot", "u1")
    assert found.groups == ("system:serviceaccounts", "system:serviceaccounts:default")
    assert found.extra is not None
    assert found.extra["authentication.kubernetes.io/pod-name"] == ("web",)


def test_the_key_is_kept(tmp_path: Path, there: dict[Place, Row]) -> None:
    first = ServiceAccountTokens(key_of(tmp_path / "k"), there.get)
    second = ServiceAccountTokens(key_of(tmp_path / "k"), there.get)
    assert second(first.issue(there[ACCOUNT]).token) is not None


@pytest.mark.parametrize("place", [ACCOUNT, POD])
def test_it_ends_with_what_it_is_bound_to(
    tokens: ServiceAccountTokens, there: dict[Place, Row], place: Place
) -> None:
    token = tokens.issue(there[ACCOUNT], bound=there[POD]).token
    there[place] = row(place, "another")
    assert tokens(token) is None
    del there[place]
    assert tokens(token) is None


def test_audiences(tokens: ServiceAccountTokens, there: dict[Place, Row]) -> None:
    token = tokens.issue(there[ACCOUNT], audiences=["vault"]).token
    assert tokens(token) is None
    assert tokens.whose(token, ["vault", ISSUER]) is not None


def test_it_ends_in_time(
    tokens: ServiceAccountTokens, there: dict[Place, Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tokens.issue(there[ACCOUNT], seconds=600).token
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 601)
    assert tokens(token) is None
    monkeypatch.setattr("time.time", lambda: now - 60)
    assert tokens(token) is None


def _coded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_forgeries(tokens: ServiceAccountTokens, there: dict[Place, Row], tmp_path: Path) -> None:
    head, claims, signature = tokens.issue(there[ACCOUNT]).token.split(".")
    body = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other = ServiceAccountTokens(key_of(tmp_path / "other.key"), there.get).issue(there[ACCOUNT]).token
    forged = [
        f"{_coded({'alg': 'none'})}.{claims}.",
        f"{_coded({'alg': 'HS256'})}.{claims}.{signature}",
        f"{head}.{_coded({**body, 'exp': body['exp'] + 9_999})}.{signature}",
        f"{head}.{claims}.",
        f"{head}.{claims}.{signature[:-4]}",
        f"{head}.{claims}",
        f"{_coded([])}.{claims}.{signature}",
        f"{head}.{claims}.{signature}" + "A" * 20_000,
        other,
        "...",
        "é.é.é",
    ]
    assert [tokens(token) for token in forged] == [None] * len(forged)
