"""JSON as Go's encoder writes it."""

from __future__ import annotations

import json
from typing import Any


def indented(value: Any) -> str:
    """JSON with four blanks for each level, and with HTML's characters escaped."""
    text = json.dumps(value, indent=4, ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def with_sorted_keys(value: Any) -> Any:
    """The value with the keys of its objects in order, as Go's encoder writes maps."""
    if isinstance(value, dict):
        return {key: with_sorted_keys(value[key]) for key in sorted(value)}
    return [with_sorted_keys(item) for item in value] if isinstance(value, list) else value
