"""Smallest vertex covers, against trying all of them."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from sekisho.audit.cover import smallest_cover

GRAPHS = st.dictionaries(
    st.integers(0, 5), st.lists(st.integers(10, 15), max_size=5, unique=True), max_size=6
)


def covers(edges: dict[int, list[int]], chosen: set[int]) -> bool:
    return all(left in chosen or right in chosen for left, rights in edges.items() for right in rights)


@given(GRAPHS)
def test_it_covers_with_as_few_as_can_be_and_prefers_the_left(edges: dict[int, list[int]]) -> None:
    left, right = smallest_cover(edges)
    assert covers(edges, left | right)
    vertices = sorted({*edges, *(row for rows in edges.values() for row in rows)})
    size = next(
        size
        for size in range(len(vertices) + 1)
        if any(covers(edges, set(some)) for some in combinations(vertices, size))
    )
    assert len(left) + len(right) == size
    best = max(
        len(set(some) & set(edges)) for some in combinations(vertices, size) if covers(edges, set(some))
    )
    assert len(left) == best


def test_a_long_path_needs_no_deep_stack() -> None:
    edges = {number: [number + 100_000, number + 100_001] for number in range(3_000)}
    left, right = smallest_cover(edges)
    assert len(left) + len(right) == 3_000
