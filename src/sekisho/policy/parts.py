"""An engine divided into parts that an audit remembers apart.

A verdict that looks at other objects has to be made again when one of those changes; one that does not is
good as long as its object. So constraints are put together by what their templates read of the inventory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from sekisho.kube.object import Object
from sekisho.policy.constraint import Constraint
from sekisho.policy.engine import Engine

IDENTITY: Final = ("name", "namespace", "labels", "annotations")
"""What of a policy's metadata means something. Versions, generations and managed fields do not."""


def parts(engine: Engine) -> Iterator[tuple[str, Engine]]:
    """The engine's parts by name: first ``policy``, which looks at one object at a time.

    It is there even if there is nothing in it, since it is what mutates and expands.
    """
    groups: dict[str, list[Constraint]] = {"policy": []}
    for constraint in engine.constraints:
        rows = constraint.template.facts.inventoried
        name = " ".join(["policy", *(f"{row.group_version or '*'}/{row.kind or '*'}" for row in rows)])
        groups.setdefault(name, []).append(constraint)
    for name, constraints in groups.items():
        yield name, replace(engine, constraints=tuple(constraints), vap=None, _candidates={})
    if engine.vap is not None and engine.vap.any:
        # What it reads of other objects, such as params, its verdicts say.
        yield "validating-admission-policy", replace(engine, constraints=(), _candidates={})


def digest_of(engine: Engine) -> str:
    """What stands for everything that judges in an engine: its policies, not its inventory."""
    import orjson

    found = hashlib.blake2b(repr(sorted(engine.settings.excluded.items())).encode(), digest_size=16)
    objects = [
        *(row.object for row in engine.constraints),
        *(row.template.object for row in engine.constraints),
        *(row.object for row in engine.mutators.mutators),
        *(row.object for row in engine.expansions.templates if row.object is not None),
        *(engine.vap.objects() if engine.vap is not None else ()),
    ]
    for object in objects:
        found.update(orjson.dumps(substance(object), option=orjson.OPT_SORT_KEYS))
        found.update(b"\n")
    return found.hexdigest()


def substance(object: Object) -> dict[str, Any]:
    """What a policy says, without what a server or a controller notes about it: its status, its version."""
    metadata = {key: object.metadata[key] for key in IDENTITY if key in object.metadata}
    return {**object.raw, "metadata": metadata, "status": None}
