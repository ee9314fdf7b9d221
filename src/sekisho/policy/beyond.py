"""What a verdict depends on besides its object, in the words of ``Verdict.reads``.

``labels NS`` and ``Namespace NS`` are the object's Namespace, ``inventory SCOPE GROUP-VERSION KIND`` the
objects that a referential template may look at. What it reads is taken from the template's text and may be
too much, never too little: an audit judges once more than it would have to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from sekisho.policy.constraint import Constraint
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


@lru_cache(maxsize=1024)
def _words(texts: tuple[str, ...]) -> tuple[bool, bool]:
    """Whether code may read the Namespace, and whether it is volatile."""
    whole = "\n".join(texts)
    return bool(_NAMESPACE.search(whole) or _REVIEW.search(whole)), bool(_VOLATILE.search(whole))


def of_match(constraint: Constraint, namespace: str) -> Iterator[str]:
    """What finding out whether a constraint matches reads."""
    spec = constraint.raw.get("spec") or {}
    match = spec.get("match") if isinstance(spec, dict) else None
    if namespace and isinstance(match, dict) and match.get("namespaceSelector") is not None:
        yield f"labels {namespace}"


def of_template(template: Template, namespace: str) -> Iterator[str]:
    """What a template's code reads of the world."""
    for row in template.facts.inventoried:
        yield f"inventory {row.scope or '*'} {row.group_version or '*'} {row.kind or '*'}"
    whole, volatile = _words(tuple(source.text for source in template.sources))
    if whole and namespace:
        yield f"Namespace {namespace}"
    if volatile:
        yield MOMENT
