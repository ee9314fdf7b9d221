"""What a build gives: the engine, what lowers enforcement, and what is wrong with which policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sekisho.diag import Diagnostic, ObjectRef
from sekisho.kube.object import Object
from sekisho.kube.review import NO_RULES, Rules
from sekisho.policy.code import Inventoried
from sekisho.policy.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What judges from now on, whole. ``number`` grows with each one; ``revision`` counts what was seen.

    ``digest`` stands for the policies and rules, whatever the inventory. ``objects`` are the policies that it
    was made of, sound or not, and ``faults`` what is wrong with them. ``stale`` are those of which an older
    version judges, since the newest cannot be used. ``reads`` is what templates in use read of the inventory.
    """

    engine: Engine
    rules: Rules = field(default_factory=lambda: NO_RULES)
    number: int = 0
    revision: int = 0
    digest: str = ""
    objects: Sequence[Object] = ()
    faults: Mapping[ObjectRef, Sequence[Diagnostic]] = field(default_factory=dict)
    stale: frozenset[ObjectRef] = frozenset()
    reads: frozenset[Inventoried] = frozenset()
