"""Which field of an object a violation is about (ADR 8).

1. The template may name it: ``details.path``, a dotted path or a list of steps.
2. Else it is derived from what the violating derivation read of the object.
3. Else it is the object itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sekisho.diag import Path
from sekisho.kube.object import value_at
from sekisho.policy.template import Template
from sekisho.rego import Options

_STEP: Final = re.compile(r"""\.?([^.\[\]"']+)|\[(\d+)\]|\[["']([^"']*)["']\]""")


def parse_path(text: str) -> Path | None:
    """The steps of ``spec.containers[0].image`` or ``metadata.labels["a.b/c"]``; None if it is no path."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            return None
        name, index, quoted = found.groups()
        steps.append(int(index) if index is not None else name if name is not None else quoted)
        at = found.end()
    return tuple(steps)


class Positions:
    """Finds the fields of one object's violations of one constraint; evaluates once more, at most once."""

    def __init__(
        self, template: Template, input: Mapping[str, Any], data: Mapping[str, Any], options: Options
    ) -> None:
        self._template = template
        self._input = input
        self._data = data
        self._options = options

    def path(self, element: Any, details: Any) -> Path:
        """The path inside the object, empty for the object as a whole."""
        named = self._named(details)
        return () if named is None else named

    def _named(self, details: Any) -> Path | None:
        """The path that the template names, if the object has at least its first step."""
        named = details.get("path") if isinstance(details, dict) else None
        if isinstance(named, str):
            path = parse_path(named)
        elif isinstance(named, list) and all(type(step) in (str, int) for step in named):
            path = tuple(named)
        else:
            return None
        if not path or value_at(self._input["review"]["object"], path[:1]) is None:
            return None
        return path
