"""What ``check`` and the demo do: read, build the engine, put every object through the one chain, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sekisho.cli.inputs import Inputs, read_objects
from sekisho.cli.progress import progress
from sekisho.diag import Deadline, Diagnostic, Report
from sekisho.kube.object import Object, name_problems
from sekisho.kube.schema import NEWEST, CustomKinds, validate_object

if TYPE_CHECKING:
    from sekisho.kube.review import Judge, Step
    from sekisho.policy import Engine

POLICY_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "templates.gatekeeper.sh": ("ConstraintTemplate",),
    "constraints.gatekeeper.sh": (),
    "mutations.gatekeeper.sh": ("Assign", "AssignImage", "AssignMetadata", "ModifySet"),
    "expansion.gatekeeper.sh": ("ExpansionTemplate",),
}
"""The kinds of policies by group; in a group without a list all kinds are policies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a check is asked for. ``seconds`` is how long one object may take, over all policies.

    ``external_data`` is a file with the answers of external data providers; ``explain`` tells with each
    violation which expressions held.
    """

    policies: tuple[str, ...] = ()
    kubernetes_version: str = ""
    schema: bool = True
    seconds: float = 10.0
    cache: bool = True
    external_data: str = ""
    explain: bool = False


def judge(paths: Sequence[str], options: Options) -> Report:
    """Judge everything at these paths."""
    inputs = read_objects(paths)
    extra = read_objects(options.policies) if options.policies else Inputs()
    everything = [*extra.objects, *inputs.objects]
    findings = [*inputs.problems, *extra.problems]
    if options.schema:
        findings += _schemas(inputs.objects, everything, options.kubernetes_version or NEWEST)
    constraints = 0
    if any(_is_policy(object) for object in everything):
        found, constraints = _policies(inputs.objects, everything, options)
        findings += found
    judged = f"{_count(len(inputs.objects), 'object')} judged by {_count(constraints, 'constraint')}"
    return Report.of(findings, judged=judged)


def _is_policy(object: Object) -> bool:
    """Whether the engine is needed at all: importing it takes longer than judging a file."""
    kinds = POLICY_KINDS.get(object.gvk.group)
    return kinds is not None and (not kinds or object.kind in kinds)


def _schemas(objects: Sequence[Object], everything: Sequence[Object], version: str) -> list[Diagnostic]:
    """What the API's schemas say. Policies are checked by their own package."""
    custom = CustomKinds.of(everything)
    found = list(custom.diagnostics)
    for object in objects:
        found += name_problems(object)
        if not _is_policy(object):
            found += validate_object(object, kubernetes_version=version, crds=custom)
    return found


def _policies(
    objects: Sequence[Object], everything: Sequence[Object], options: Options
) -> tuple[list[Diagnostic], int]:
    """What the policies say of the objects, and how many constraints there were."""
    from sekisho import policy
    from sekisho.cli.programs import cached_compile
    from sekisho.cli.providers import read_providers

    engine = policy.Engine.build(
        everything,
        inventory=objects,
        compile=cached_compile(enabled=options.cache),
        providers=read_providers(options.external_data) if options.external_data else None,
    )
    engine = replace(engine, explains=options.explain)
    findings = list(engine.problems)
    if steps := policy.steps(engine):
        now = datetime.now(UTC)
        for object in progress(objects, "judging"):
            findings += _review(object, engine, steps, now, Deadline.after(options.seconds))
        findings += policy.may_differ(engine)
    return findings, len(engine.constraints)


def _review(
    object: Object, engine: Engine, steps: Sequence[Step[Judge]], now: datetime, deadline: Deadline
) -> list[Diagnostic]:
    """'Would this be admitted today?': a CREATE by nobody, on the object with the built-in defaults."""
    from sekisho.kube.defaults import apply_defaults
    from sekisho.kube.review import Request, decide
    from sekisho.policy.chain import with_mutators

    request = Request.of(apply_defaults(object), namespace_object=engine.namespaces.get(object.namespace))
    verdict = decide(steps, request, now=now, deadline=deadline)
    found = [*(finding.report() for finding in verdict.findings), *verdict.failures]
    return [with_mutators(finding, verdict, engine) for finding in found]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
