"""A smallest vertex cover of a bipartite graph (König's theorem, by augmenting paths)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

L = TypeVar("L", bound=Hashable)
R = TypeVar("R", bound=Hashable)


def smallest_cover(edges: Mapping[L, Sequence[R]]) -> tuple[set[L], set[R]]:
    """The fewest vertices that touch every edge, given as left → rights; as many on the left as can be.

    Takes time in proportion to vertices times edges at worst.
    """
    left_of: dict[R, L] = {}
    right_of: dict[L, R] = {}
    for left in edges:
        _augment(left, edges, left_of, right_of)
    seen_left = {left for left in edges if left not in right_of}
    seen_right: set[R] = set()
    todo = list(seen_left)
    while todo:
        for right in edges[todo.pop()]:
            if right not in seen_right:
                seen_right.add(right)
                partner = left_of[right]
                if partner not in seen_left:
                    seen_left.add(partner)
                    todo.append(partner)
    return {left for left in edges if left not in seen_left}, seen_right


def _augment(start: L, edges: Mapping[L, Sequence[R]], left_of: dict[R, L], right_of: dict[L, R]) -> None:
    """Find a path from an unmatched left vertex to an unmatched right one, and turn it round."""
    came_from: dict[R, L] = {}
    todo = [start]
    while todo:
        left = todo.pop()
        for right in edges[left]:
            if right in came_from:
                continue
            came_from[right] = left
            if right in left_of:
                todo.append(left_of[right])
                continue
            _turn(right, came_from, left_of, right_of)
            return


def _turn(end: R, came_from: Mapping[R, L], left_of: dict[R, L], right_of: dict[L, R]) -> None:
    """Match along a path of alternating edges, from its end back to its start."""
    here: R | None = end
    while here is not None:
        left = came_from[here]
        before = right_of.get(left)
        left_of[here], right_of[left] = left, here
        here = before
