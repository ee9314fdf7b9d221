"""What ``check`` and the demo do: read, build the engine, put every object through the one chain, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sekisho import policy
from sekisho.cli.inputs import Inputs, read_objects
from sekisho.cli.programs import cached_compile
from sekisho.diag import Deadline, Diagnostic, ObjectPath, Report
from sekisho.kube.defaults import apply_defaults
from sekisho.kube.object import Object
from sekisho.kube.review import Judge, Request, Step, decide
from sekisho.kube.schema import NEWEST, CustomKinds, validate_object

SECONDS: Final = 10.0
"""How long one object may take, over all policies: the longest timeout that a webhook can have is 30 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a check is asked for."""

    policies: tuple[str, ...] = ()
    kubernetes_version: str = ""
    schema: bool = True
    cache: bool = True


def judge(paths: Sequence[str], options: Options) -> Report:
    """Judge everything at these paths."""
    inputs = read_objects(paths)
    extra = read_objects(options.policies) if options.policies else Inputs()
    objects = inputs.objects
    findings = [*inputs.problems, *extra.problems]
    engine = policy.Engine.build(
        [*extra.objects, *objects], inventory=objects, compile=cached_compile(enabled=options.cache)
    )
    findings += engine.problems
    custom = CustomKinds.of([*extra.objects, *objects])
    findings += custom.diagnostics
    version = options.kubernetes_version or NEWEST
    steps: tuple[Step[Judge], ...] = (Step(name="policy", call=engine.judge),)
    now = datetime.now(UTC)
    for object in objects:
        if options.schema and not policy.is_policy(object):
            findings += _schema(object, version, custom)
        if engine.constraints:
            findings += _review(object, engine, steps, now)
    findings += policy.may_differ(engine)
    judged = f"{_count(len(objects), 'object')} judged by {_count(len(engine.constraints), 'constraint')}"
    return Report.of(findings, judged=judged)


def _schema(object: Object, version: str, custom: CustomKinds) -> tuple[Diagnostic, ...]:
    return validate_object(object, kubernetes_version=version, crds=custom)


def _review(
    object: Object, engine: policy.Engine, steps: tuple[Step[Judge], ...], now: datetime
) -> list[Diagnostic]:
    """'Would this be admitted today?': a CREATE by nobody, on the object with the built-in defaults."""
    request = Request.of(apply_defaults(object), namespace_object=engine.namespaces.get(object.namespace))
    verdict = decide(steps, request, now=now, deadline=Deadline.after(SECONDS))
    found = [_at_origin(finding.report(), object) for finding in verdict.findings]
    return [*found, *verdict.failures]


def _at_origin(finding: Diagnostic, object: Object) -> Diagnostic:
    """The finding without the schema's noise; the file it points into is that of the object as written."""
    at = finding.at
    if isinstance(at, ObjectPath) and at.origin is None and object.origin is not None:
        return replace(finding, at=replace(at, origin=object.origin))
    return finding


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
