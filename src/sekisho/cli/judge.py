"""What ``check`` and the demo do: read, build the engine, put every object through the one chain, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sekisho.cli.admission.checks import custom_rules, is_admission_policy, type_warnings
from sekisho.cli.inputs import Inputs, read_objects
from sekisho.cli.network import NOTHING, Chosen, ExternalData
from sekisho.cli.progress import progress
from sekisho.cli.rules import is_rule, read_rules, remarks
from sekisho.cli.wire import Findings
from sekisho.cli.workers import spread
from sekisho.diag import Deadline, Diagnostic, Report
from sekisho.kube.object import Object, name_problems
from sekisho.kube.schema import NEWEST, NO_CUSTOM_KINDS, CustomKinds, validate_object

if TYPE_CHECKING:
    from sekisho.cel.kubernetes.rules import CustomRules
    from sekisho.cli.images.options import ImageFiles
    from sekisho.cli.settings import Settings
    from sekisho.kube.review import Judge, Rules, Step
    from sekisho.kube.review.rules import Loaded
    from sekisho.policy import Engine

POLICY_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "templates.gatekeeper.sh": ("ConstraintTemplate",),
    "constraints.gatekeeper.sh": (),
    "mutations.gatekeeper.sh": ("Assign", "AssignImage", "AssignMetadata", "ModifySet"),
    "expansion.gatekeeper.sh": ("ExpansionTemplate",),
    "config.gatekeeper.sh": ("Config",),
    "externaldata.gatekeeper.sh": ("Provider",),
    "syncset.gatekeeper.sh": ("SyncSet",),
}
"""The kinds of policies by group; in a group without a list all kinds are policies."""


KRITIS: Final = "kritis.grafeas.io"
"""The group of Kritis' policies, which are about images."""

Ask = Callable[[Object], Sequence[Diagnostic]]
"""A question about one object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a check is asked for. ``seconds`` is how long one object may take, over all policies.

    ``bundles`` are those of the policy library that are applied beside the policies that are read.
    ``external`` is whence external data comes, and ``settings`` has more of that; ``explain`` tells with each
    violation which expressions held; ``owner_key`` is the label that names an owner. ``images`` are the files
    by which images are authorized, if any.
    """

    policies: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    kubernetes_version: str = ""
    schema: bool = True
    seconds: float = 10.0
    cache: bool = True
    external: Chosen = NOTHING
    settings: Settings | None = None
    explain: bool = False
    owner_key: str = ""
    images: ImageFiles | None = None


def judge(paths: Sequence[str], options: Options) -> Report:
    """Judge everything at these paths."""
    external = ExternalData.read(options.external, options.settings)
    inputs = read_objects(paths, without=external.files)
    extra = read_objects(options.policies, without=external.files) if options.policies else Inputs()
    written = [*extra.objects, *inputs.objects]
    bundled = _bundles(options.bundles, written)
    everything = [*written, *bundled, *external.objects]
    findings = [*inputs.problems, *extra.problems]
    asks: list[Ask] = []
    custom = NO_CUSTOM_KINDS
    if options.schema:
        custom = CustomKinds.of(everything)
        findings += custom.diagnostics
        version = options.kubernetes_version or NEWEST
        rules = custom_rules(everything, custom, cache=options.cache)
        findings += rules.problems if rules is not None else ()
        asks.append(lambda row: _schema(row, version, custom, rules))
    engine = _engine(inputs.objects, everything, options)
    if engine is not None and engine.asks:
        engine = replace(engine, providers=external.providers(engine.declared))
    now = datetime.now(UTC)
    loaded = read_rules(everything, owner_key=options.owner_key)
    findings += loaded.problems if loaded else ()
    if engine is not None:
        findings += engine.problems
        findings += type_warnings(engine, custom) if options.schema else ()
    steps, problems = _image_steps(options, everything)
    findings += problems
    asks += _reviews(engine, steps, loaded, now, options.seconds)

    def work(part: Sequence[Object]) -> list[Diagnostic]:
        return [found for object in progress(part, "judging") for ask in asks for found in ask(object)]

    form = Findings([object.origin for object in everything], engine.sources if engine is not None else ())
    findings += spread(work, inputs.objects, form)
    findings += remarks(loaded, findings, now)
    judged = f"{_count(len(inputs.objects), 'object')} judged by {_judges(engine, len(steps))}"
    return Report.of([*findings, *_remarks(engine, bundled)], judged=judged)


def _judges(engine: Engine | None, images: int) -> str:
    """What judged, counted; admission policies and image policies are told where there are some."""
    counted = [_count(len(engine.constraints) if engine is not None else 0, "constraint")]
    if engine is not None and engine.vap is not None:
        counted.append(_count(engine.vap.bindings, "policy binding"))
    if images:
        counted.append("image policies")
    return " and ".join(counted)


def _bundles(names: Sequence[str], written: Sequence[Object]) -> Sequence[Object]:
    """The policies of bundles; imported here, since most checks have none."""
    if not names:
        return ()
    from sekisho.policy.library import bundle_objects

    return bundle_objects(names, known=written)


def _is_policy(object: Object) -> bool:
    """Whether the engine is needed at all: importing it takes longer than judging a file."""
    kinds = POLICY_KINDS.get(object.gvk.group)
    return kinds is not None and (not kinds or object.kind in kinds)


def _schema(
    object: Object, version: str, custom: CustomKinds, rules: CustomRules | None
) -> Sequence[Diagnostic]:
    """What the API's schemas say, and their rules. Policies are checked by their own package."""
    found = name_problems(object)
    if _is_policy(object) or is_rule(object) or object.gvk.group == KRITIS:
        return found
    wrong = validate_object(object, kubernetes_version=version, crds=custom)
    if rules is None:
        return [*found, *wrong]
    return [*found, *wrong, *(rules.blocked(object) if wrong else rules.check(object))]


def _engine(objects: Sequence[Object], everything: Sequence[Object], options: Options) -> Engine | None:
    """The engine of the policies among everything; None where there are none."""
    if not any(_is_policy(object) or is_admission_policy(object) for object in everything):
        return None
    from sekisho import policy
    from sekisho.cli.programs import cached_choice, cached_compile

    engine = policy.Engine.build(
        everything,
        inventory=objects,
        compile=cached_compile(enabled=options.cache),
        choice=cached_choice(enabled=options.cache),
    )
    return replace(engine, explains=options.explain)


def _image_steps(
    options: Options, everything: Sequence[Object]
) -> tuple[Sequence[Step[Judge]], Sequence[Diagnostic]]:
    """The steps that authorize images, where there are policies of images."""
    if options.images is None and not any(row.gvk.group == KRITIS for row in everything):
        return (), ()
    from sekisho.cli.images.files import image_steps
    from sekisho.cli.images.options import ImageFiles

    return image_steps(options.images or ImageFiles(), everything)


def _reviews(
    engine: Engine | None,
    more: Sequence[Step[Judge]],
    loaded: Loaded | None,
    now: datetime,
    seconds: float,
) -> list[Ask]:
    """What the policies are asked of each object; nothing where the chain would have nothing to do."""
    from sekisho.kube.review import NO_RULES

    steps = more
    if engine is not None:
        from sekisho import policy

        steps = (*policy.steps(engine), *more)
    if not steps:
        return []
    rules = loaded.rules if loaded else NO_RULES
    return [_Review(engine=engine, steps=steps, more=more, rules=rules, now=now, seconds=seconds)]


def _remarks(engine: Engine | None, bundled: Sequence[Object]) -> Iterable[Diagnostic]:
    """What is to be said of the policies that judged. Those of bundles have pages that say it."""
    if engine is None or not engine.constraints:
        return ()
    from sekisho.policy import may_differ

    ours = {object.name for object in bundled}
    return [remark for remark in may_differ(engine) if remark.policy.lower() not in ours]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Review:
    """'Would this be admitted today?': a CREATE by nobody, on the object with the built-in defaults."""

    engine: Engine | None
    steps: Sequence[Step[Judge]]
    more: Sequence[Step[Judge]]
    """Those of ``steps`` that are not the engine's."""
    rules: Rules
    now: datetime
    seconds: float

    def __call__(self, object: Object) -> list[Diagnostic]:
        from sekisho.kube.defaults import apply_defaults
        from sekisho.kube.review import Request, decide

        whole, deadline = apply_defaults(object), Deadline.after(self.seconds)
        if self.engine is None:
            request = Request.of(whole)
            verdict = decide(self.steps, request, now=self.now, deadline=deadline, rules=self.rules)
            return [*(finding.report() for finding in verdict.findings), *verdict.failures]
        from sekisho.policy.chain import steps, with_mutators

        engine = self.engine.asking()
        asked = self.steps if engine is self.engine else (*steps(engine), *self.more)
        request = Request.of(whole, namespace_object=engine.namespaces.get(object.namespace))
        verdict = decide(asked, request, now=self.now, deadline=deadline, rules=self.rules)
        found = [*(finding.report() for finding in verdict.findings), *verdict.failures]
        return [with_mutators(finding, verdict, engine) for finding in found]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
