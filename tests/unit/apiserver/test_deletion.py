"""What a deletion asks for, as clients say it well and badly."""

from __future__ import annotations

from typing import Any

import pytest

from sekisho.apiserver.deletion import LONGEST, grace_of, options_of
from sekisho.apiserver.registry import built_in_registry
from sekisho.apiserver.status import ApiError


def test_the_query_says_what_the_body_leaves_out() -> None:
    query = {"propagationPolicy": "Orphan", "gracePeriodSeconds": "5"}
    assert options_of({"gracePeriodSeconds": 1}, query) == {
        "gracePeriodSeconds": 1,
        "propagationPolicy": "Orphan",
    }


@pytest.mark.parametrize("text", ["²", "x", "", "1e3", "9" * 30])
def test_a_grace_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        options_of({}, {"gracePeriodSeconds": text})
    assert caught.value.code == 400


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        None,
        {"gracePeriodSeconds": "1"},
        {"gracePeriodSeconds": True},
        {"propagationPolicy": ["Orphan"]},
        {"propagationPolicy": {}},
        {"orphanDependents": 1},
        {"preconditions": []},
        {"dryRun": "All"},
    ],
)
def test_options_of_another_type_are_refused(body: Any) -> None:
    with pytest.raises(ApiError) as caught:
        options_of(body, {})
    assert caught.value.code == 400


def test_no_grace_is_longer_than_a_date_can_hold() -> None:
    pods = built_in_registry().find("", "v1", "pods")
    assert pods is not None
    old = {"spec": {"nodeName": "n"}}
    assert grace_of(old, {"gracePeriodSeconds": 10**18}, pods) == LONGEST
