"""An engine and what lowers enforcement as a snapshot: where domains and ``audit`` meet."""

from __future__ import annotations

from collections.abc import Callable

from sekisho import audit, policy
from sekisho.kube.defaults import apply_defaults
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.kube.review import NO_RULES, Request
from sekisho.kube.review.rules import Loaded


def snapshot_of(
    engine: policy.Engine, loaded: Loaded | None, *, point: str = policy.WEBHOOK, positions: bool = True
) -> audit.Snapshot:
    """The snapshot of an engine and of what lowers enforcement, at an enforcement point."""
    rules = loaded.rules if loaded else NO_RULES
    exact = positions or any(waiver.fingerprints for waiver in rules.waivers)
    lowers = audit.digest([dict(row.raw) for row in loaded.objects]) if loaded else ""
    parts = tuple(
        audit.Part(
            name=name,
            digest=f"{name} {policy.digest_of(part)} {point} {lowers} {exact}",
            steps=policy.steps(part, point=point, positions=exact),
            concerns=_concerns(part),
        )
        for name, part in policy.parts(engine)
    )

    def ask(object: Object) -> Request:
        return Request.of(apply_defaults(object), namespace_object=engine.namespaces.get(object.namespace))

    return audit.Snapshot(parts=parts, ask=ask, rules=rules)


def _concerns(engine: policy.Engine) -> Callable[[Object], bool]:
    if engine.mutators.mutators:
        return lambda _: True  # any object may be mutated, and that may fail
    known: dict[GVK, bool] = {}

    def concerns(row: Object) -> bool:
        found = known.get(row.gvk)
        if found is None:
            found = known[row.gvk] = engine.concerns(row.gvk)
        return found

    return concerns
