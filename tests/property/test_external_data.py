"""Whatever a provider answers, it is read or refused, and what is read is what was asked."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sekisho.policy.external.answers import State
from sekisho.policy.external.wire import WireError, read_response

KEYS = ("a", "b", "")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OPTIONAL = {
    "key": st.sampled_from([*KEYS, "c"]) | JSON,
    "value": JSON,
    "error": st.text(max_size=3) | JSON,
}
ITEMS = st.lists(st.fixed_dictionaries({}, optional=OPTIONAL) | JSON, max_size=4)
RESPONSES = st.fixed_dictionaries(
    {
        "apiVersion": st.just("externaldata.gatekeeper.sh/v1beta1"),
        "kind": st.just("ProviderResponse"),
        "response": st.fixed_dictionaries(
            {"items": ITEMS}, optional={"systemError": st.text(max_size=3), "idempotent": st.booleans()}
        ),
    }
)


@given(JSON | RESPONSES)
def test_answers(value: Any) -> None:
    try:
        read = read_response(value, KEYS, 200)
    except WireError:
        return
    assert read.outcomes.keys() == set(KEYS)
    for key, outcome in read.outcomes.items():
        answers = [item for item in value["response"]["items"] if (item.get("key") or "") == key]
        assert (outcome.state is State.MISSING) == (not answers)
        if answers:
            assert outcome.error == (answers[-1].get("error") or "")
