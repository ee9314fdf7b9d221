"""Changed objects: what a case's object might also have been.

A change takes something away, gives it another value, or doubles it; a variant has one to three of them. What
Kubernetes would not take is left out, since what policies say of it matters to nobody.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from sekisho.kube.object import Object
from sekisho.kube.schema import NEWEST, CustomKinds, validate_object
from sekisho.policy.reviewfile import is_review
from tests.conformance.library.cases import Case

WORDS = ("", "x", "*", "default", "nginx", "nginx:latest", "openpolicyagent/opa", "localhost/profile.log")
AMOUNTS = ("0", "1", "100m", "0.5", "2", "1Gi", "512Mi", "1G", "1000", "10k", "1e3", "1Ti")
NUMBERS = (-1, 0, 1, 2, 80, 100, 1000, 65535)
NO_CRDS = CustomKinds.of(())
TRIES = 4


def variants(case: Case, count: int) -> Iterator[Object]:
    """At most this many changed objects; the same for each run."""
    chance = random.Random(f"{case.kind} {case.name}")
    for _ in range(count * TRIES):
        if count <= 0:
            return
        raw = deepcopy(case.object.raw)
        subject = raw["request"]["object"] if is_review(case.object) else raw
        for _ in range(chance.choice((1, 1, 2, 3))):
            _change(subject, chance)
        changed = Object(subject)
        if not list(validate_object(changed, kubernetes_version=NEWEST, crds=NO_CRDS)):
            count -= 1
            yield Object(raw)


def _change(subject: Any, chance: random.Random) -> None:
    places = list(_places(subject))
    if not places:
        return
    parent, key = chance.choice(places)
    kind = chance.random()
    if kind < 0.3:
        del parent[key]
    elif kind < 0.4 and isinstance(parent, list):
        parent.append(deepcopy(parent[key]))
    elif kind < 0.5 and isinstance(parent[key], dict | list):
        parent[key] = type(parent[key])()
    else:
        parent[key] = _other(parent[key], chance)


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Everything below a value that may be changed: not what says which kind of object it is."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if depth == 0 and key in ("apiVersion", "kind"):
            continue
        yield value, key
        yield from _places(item, depth + 1)


def _other(value: Any, chance: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return chance.choice(NUMBERS)
    if isinstance(value, str):
        return chance.choice((*WORDS, *AMOUNTS, value + "x", value[:-1], f"{value}:latest", f"evil/{value}"))
    return value
