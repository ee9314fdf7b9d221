"""The webhook configurations: as Gatekeeper has them, and put back when others change them."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest

from sekisho.admission.registration import Registered, bundle_of, configurations, injected, mended

CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
REGISTERED = Registered()
VALIDATING, MUTATING = configurations(REGISTERED)


def stored() -> dict[str, Any]:
    """The validating configuration as the server has it."""
    found = mended(VALIDATING, None, CA)
    assert found is not None
    return copy.deepcopy(found.value)


def test_they_are_gatekeepers() -> None:
    hooks = {row["name"]: row for row in (*VALIDATING["webhooks"], *MUTATING["webhooks"])}
    assert {name: row["clientConfig"]["service"]["path"] for name, row in hooks.items()} == {
        "validation.gatekeeper.sh": "/v1/admit",
        "check-ignore-label.gatekeeper.sh": "/v1/admitlabel",
        "mutation.gatekeeper.sh": "/v1/mutate",
    }
    assert hooks["validation.gatekeeper.sh"]["failurePolicy"] == "Ignore"
    assert hooks["validation.gatekeeper.sh"]["timeoutSeconds"] == 3
    assert hooks["mutation.gatekeeper.sh"]["timeoutSeconds"] == 1
    assert hooks["check-ignore-label.gatekeeper.sh"]["failurePolicy"] == "Fail"


def test_the_own_namespace_is_not_asked_about() -> None:
    (row, *_) = VALIDATING["webhooks"]
    keys = {each["key"] for each in row["namespaceSelector"]["matchExpressions"]}
    assert keys == {"admission.gatekeeper.sh/ignore", "kubernetes.io/metadata.name"}


def test_what_is_as_it_should_be_is_left_alone() -> None:
    assert mended(VALIDATING, stored(), CA) is None


def test_one_that_was_deleted_is_put_back() -> None:
    found = mended(VALIDATING, None, CA)
    assert found is not None
    assert found.why == ("it was deleted",)
    assert bundle_of(found.value) == CA


def without_first(value: dict[str, Any]) -> None:
    del value["webhooks"][0]


def ignoring_all(value: dict[str, Any]) -> None:
    value["webhooks"][0]["rules"] = []


def elsewhere(value: dict[str, Any]) -> None:
    value["webhooks"][0]["clientConfig"]["service"]["namespace"] = "evil"


def one_more(value: dict[str, Any]) -> None:
    value["webhooks"].append({**value["webhooks"][0], "name": "evil.example.com"})


def other_trust(value: dict[str, Any]) -> None:
    value["webhooks"][0]["clientConfig"]["caBundle"] = base64.b64encode(b"evil").decode()


def exempting(value: dict[str, Any]) -> None:
    value["webhooks"][0]["namespaceSelector"] = {"matchLabels": {"no": "such"}}


ATTACKS = {
    "a webhook is taken out": (without_first, ("the webhook validation.gatekeeper.sh was taken out",)),
    "rules are emptied": (ignoring_all, ("rules of the webhook validation.gatekeeper.sh was changed",)),
    "another service": (elsewhere, ("clientConfig of the webhook validation.gatekeeper.sh was changed",)),
    "one more webhook": (one_more, ("the webhook evil.example.com was added",)),
    "everything is exempt": (
        exempting,
        ("namespaceSelector of the webhook validation.gatekeeper.sh was changed",),
    ),
    "another authority": (other_trust, ()),
}


@pytest.mark.parametrize(("attack", "why"), ATTACKS.values(), ids=ATTACKS)
def test_what_others_changed_is_put_back_and_told(attack: Any, why: tuple[str, ...]) -> None:
    value = stored()
    attack(value)
    found = mended(VALIDATING, value, CA)
    assert found is not None
    assert found.why == why
    assert found.value["webhooks"] == stored()["webhooks"]


def test_labels_of_others_stay() -> None:
    value = {**stored(), "metadata": {"name": "x", "labels": {"team": "a"}}, "webhooks": []}
    found = mended(VALIDATING, value, CA)
    assert found is not None
    assert found.value["metadata"]["labels"] == {"team": "a"}


def test_a_bundle_is_injected_into_configurations_of_others() -> None:
    value = {"webhooks": [{"name": "x", "clientConfig": {"url": "https://x"}}]}
    found = injected(value, CA)
    assert found is not None
    assert bundle_of(found) == CA
    assert injected(found, CA) is None


def test_a_guard_outside_the_cluster_is_asked_by_url() -> None:
    validating, _ = configurations(Registered(url="https://127.0.0.1:8443"))
    assert validating["webhooks"][0]["clientConfig"] == {"url": "https://127.0.0.1:8443/v1/admit"}
