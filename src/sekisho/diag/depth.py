"""How deeply a value is nested, without recursion."""

from __future__ import annotations

from typing import Any


def deeper_than(value: Any, depth: int) -> bool:
    """Whether collections are nested in a value more deeply than this. Takes no stack."""
    level = [value] if type(value) in (dict, list) else []
    for _ in range(depth):
        level = [
            item
            for node in level
            for item in (node.values() if type(node) is dict else node)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return False
    return bool(level)
