"""What the recorded answers cannot show of lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sekisho.cel import compile
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cel.types import DYN

ENVIRONMENT = kubernetes_environment(variables={"items": DYN})
SORT = compile("items.sort()", ENVIRONMENT)
SORT_BY = compile("items.sortBy(e, e.size())", ENVIRONMENT)
DISTINCT = compile("items.distinct()", ENVIRONMENT)
FLATTEN = compile("items.flatten(9)", ENVIRONMENT)

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text("ab", max_size=2), st.floats(-2, 2))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=8)


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_integers_are_sorted(items: list[int]) -> None:
    assert SORT.eval({"items": items}) == sorted(items)


@given(st.lists(st.text()))
def test_texts_are_sorted_by_code_points(items: list[str]) -> None:
    assert SORT.eval({"items": items}) == sorted(items)


@given(st.lists(st.text("ab", max_size=3)))
def test_equal_keys_keep_their_order(items: list[str]) -> None:
    assert SORT_BY.eval({"items": items}) == sorted(items, key=len)


def same(a: object, b: object) -> bool:
    """Equality, the plain way."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@given(st.lists(VALUES))
def test_distinct_keeps_the_first_of_equal_values(items: list[object]) -> None:
    plain: list[object] = []
    for item in items:
        if not any(same(item, other) for other in plain):
            plain.append(item)
    found = DISTINCT.eval({"items": items})
    assert len(found) == len(plain)
    assert all(map(same, found, plain))


@given(st.lists(VALUES))
def test_flatten_leaves_no_list(items: list[object]) -> None:
    assert not any(isinstance(item, list) for item in FLATTEN.eval({"items": items}))
