"""What a verdict depends on besides its object, in the words of ``Verdict.reads``.

``labels NS`` and ``Namespace NS`` are the object's Namespace, ``inventory SCOPE GROUP-VERSION KIND`` the
objects that a referential template may look at. What it reads is taken from the template's text and may be
too much, never too little: an audit judges once more than it would have to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sekisho.policy.constraint import Constraint
from sekisho.policy.rules import INVENTORY
from sekisho.policy.template import Template

MOMENT: Final = "moment"
"""The verdict may be another one at any time: a clock, chance, or somebody else was asked."""

_VOLATILE: Final = re.compile(r"\btime\.now_ns\b|\brand\.|\buuid\.rfc4122\b|\bexternal_data\b|\bhttp\.send\b")

_REVIEW: Final = re.compile(
    r"\breview\b(?!\s*\.\s*(?:object|oldObject|kind|name|namespace|operation|userInfo|uid|options|resource"
    r"|dryRun|subResource|requestKind|requestResource|requestSubResource)\b)"
)
"""A use of the review that may reach its namespaceObject: anything but a field that is something else."""

_NAMESPACE: Final = re.compile(r"\bnamespaceObject\b")


def of_match(constraint: Constraint, namespace: str) -> Iterator[str]:
    """What finding out whether a constraint matches reads."""
    spec = constraint.raw.get("spec") or {}
    match = spec.get("match") if isinstance(spec, dict) else None
    if namespace and isinstance(match, dict) and match.get("namespaceSelector") is not None:
        yield f"labels {namespace}"


class Watched(dict[str, Any]):
    """The data of an evaluation; ``read`` tells afterwards whether it looked into the inventory.

    Most objects that a constraint matches never come to where its template asks for the inventory.
    """

    read = False

    def get(self, key: str, default: Any = None, /) -> Any:
        """The way in which compiled code reaches its data, and the only one."""
        self.read = self.read or key == INVENTORY
        return super().get(key, default)


def of_inventory(template: Template) -> Iterator[str]:
    """What a template's code reads of the inventory."""
    for row in template.facts.inventoried:
        yield f"inventory {row.scope or '*'} {row.group_version or '*'} {row.kind or '*'}"


def of_template(template: Template) -> tuple[str, ...]:
    """What a template's code reads of the world besides the inventory; ``{}`` stands for a namespace."""
    texts = "\n".join(source.text for source in template.sources)
    whole = _NAMESPACE.search(texts) or _REVIEW.search(texts)
    return (*(("Namespace {}",) if whole else ()), *((MOMENT,) if _VOLATILE.search(texts) else ()))
