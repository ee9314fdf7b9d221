"""The authorizer is the caller's; it is asked only by ``check``."""

from __future__ import annotations

from sekisho.cel import compile
from sekisho.cel.kubernetes.authorizer import (
    AUTHORIZER_VARIABLES,
    Answer,
    Attributes,
    ResourceAttributes,
    authorizer_variables,
)
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.kube.review.request import UserInfo

ENVIRONMENT = kubernetes_environment(variables=AUTHORIZER_VARIABLES)


class Asked:
    """Remembers what it was asked, and says yes."""

    def __init__(self) -> None:
        self.questions: list[Attributes] = []

    def authorize(self, attributes: Attributes) -> Answer:
        self.questions.append(attributes)
        return Answer(allowed=True)


def ask(expression: str) -> tuple[object, list[Attributes]]:
    asked = Asked()
    requested = ResourceAttributes(group="apps", resource="deployments", namespace="shop")
    values = authorizer_variables(asked, UserInfo(username="alice"), requested)
    return compile(expression, ENVIRONMENT).eval(values), asked.questions


def test_building_a_check_asks_nobody() -> None:
    _, questions = ask("authorizer.group('').resource('pods').name('a').namespace('b') != null || true")
    assert not questions


def test_a_check_of_a_resource() -> None:
    value, [question] = ask(
        "authorizer.group('g').resource('r').subresource('s').namespace('ns').name('n')"
        ".fieldSelector('a=b').labelSelector('c').check('get').allowed()"
    )
    assert value is True
    assert question == Attributes(
        user=UserInfo(username="alice"),
        verb="get",
        resource=ResourceAttributes(
            group="g",
            resource="r",
            subresource="s",
            namespace="ns",
            name="n",
            field_selector="a=b",
            label_selector="c",
        ),
    )


def test_a_check_of_a_path_by_a_service_account() -> None:
    _, [question] = ask("authorizer.serviceAccount('ns', 'sa').path('/healthz').check('get').allowed()")
    assert question.path == "/healthz"
    assert question.resource is None
    assert question.user.username == "system:serviceaccount:ns:sa"
    assert question.user.groups == ("system:serviceaccounts", "system:serviceaccounts:ns")


def test_narrowing_one_check_leaves_another_as_it_is() -> None:
    _, [first, second] = ask(
        "authorizer.requestResource.name('a').check('get').allowed()"
        " && authorizer.requestResource.check('get').allowed()"
    )
    assert first.resource is not None
    assert second.resource is not None
    assert (first.resource.name, second.resource.name) == ("a", "")
