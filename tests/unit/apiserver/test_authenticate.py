"""Who asks, and who speaks for whom."""

from __future__ import annotations

import asyncio

import pytest

from sekisho.apiserver.authenticate import Authentication, StaticToken, impersonated
from sekisho.apiserver.authorize import ANONYMOUS, AnyUser, Attributes, Decision
from sekisho.apiserver.status import ApiError
from sekisho.diag import Secret
from sekisho.kube.review import UserInfo
from sekisho.web.server import Incoming

ADMIN = UserInfo(username="root", groups=("system:masters",))
KNOWN = Authentication(tokens=[StaticToken(token=Secret("s3cret"), user=ADMIN)])


def asked(**headers: str) -> Incoming:
    return Incoming(method="GET", path="/", headers=headers)


def test_a_token_names_its_user_and_the_group_of_all_who_are_known() -> None:
    found = KNOWN(asked(Authorization="Bearer s3cret"))
    assert (found.username, found.groups) == ("root", ("system:masters", "system:authenticated"))


@pytest.mark.parametrize("header", ["Bearer s3cre", "bearer s3cret2", "Bearer  é"])
def test_a_wrong_token_is_refused(header: str) -> None:
    with pytest.raises(ApiError) as caught:
        KNOWN(asked(Authorization=header))
    assert caught.value.code == 401


@pytest.mark.parametrize("header", ["", "Basic czNjcmV0", "Bearer", "Bearer "])
def test_without_a_token_it_is_a_stranger(header: str) -> None:
    assert KNOWN(asked(Authorization=header)) == ANONYMOUS


def test_a_certificate_that_names_nobody_is_refused() -> None:
    with pytest.raises(ApiError):
        KNOWN(Incoming(method="GET", path="/", certificate=b"x"))


class Nothing(AnyUser):
    """Nobody may do anything."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, str]] = []

    async def decide(self, question: Attributes) -> Decision:
        self.asked.append((question.verb, question.full_resource, question.namespace, question.name))
        return Decision(allowed=question.resource != "groups")


HEADERS = [
    ("Impersonate-User", "ann"),
    ("Impersonate-Group", "a"),
    ("Impersonate-Group", "b"),
    ("Impersonate-Extra-a%2Fb", "1"),
]


def test_impersonation_takes_on_everything_that_headers_name() -> None:
    found = asyncio.run(impersonated(ADMIN, HEADERS, Nothing()))
    assert (found.username, found.groups) == ("ann", ("a", "b", "system:authenticated"))
    assert found.extra == {"a/b": ("1",)}


def test_each_name_is_a_question_to_the_authorizer() -> None:
    nothing = Nothing()
    with pytest.raises(ApiError) as caught:
        asyncio.run(impersonated(UserInfo(username="eve"), HEADERS, nothing))
    assert nothing.asked == [("impersonate", "users", "", "ann"), ("impersonate", "groups", "", "a")]
    assert caught.value.message == (
        'groups "a" is forbidden: User "eve" cannot impersonate resource "groups" in API group "" at the '
        "cluster scope"
    )


def test_service_accounts_bring_their_groups() -> None:
    headers = [("Impersonate-User", "system:serviceaccount:kube-system:x")]
    found = asyncio.run(impersonated(ADMIN, headers, Nothing()))
    assert found.groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:kube-system",
        "system:authenticated",
    )


def test_groups_without_a_user_are_refused() -> None:
    with pytest.raises(ApiError):
        asyncio.run(impersonated(ADMIN, [("Impersonate-Group", "system:masters")], AnyUser()))


def test_nobody_makes_a_stranger_known() -> None:
    found = asyncio.run(impersonated(ADMIN, [("Impersonate-User", "system:anonymous")], AnyUser()))
    assert found.groups == ("system:unauthenticated",)
