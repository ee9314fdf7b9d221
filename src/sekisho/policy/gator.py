"""``gator test``: every object judged at gator's own enforcement point, with gator's input.

The operation is empty and no defaults are filled in, unlike ``check``, which asks what admission would say.
Results have gator's shape (policy.md 1.11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from sekisho.diag import Diagnostic
from sekisho.kube.gvk import BUILT_IN, NO_RESOURCE
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Request
from sekisho.lang.golang.gotext import quote
from sekisho.policy.constraint import GATOR, Constraint
from sekisho.policy.engine import Ask, Engine
from sekisho.policy.external import Session, Unasked
from sekisho.policy.gatorexpand import DEFAULT_NAMESPACE
from sekisho.policy.implied import IMPLIED_BY
from sekisho.policy.match import Subject
from sekisho.policy.mutation import Occasion
from sekisho.policy.template import TARGET
from sekisho.policy.watch import Watch, trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One violation as gator reports it."""

    message: str
    details: Any
    constraint: Constraint
    action: str
    actions: tuple[str, ...]
    object: Object
    trace: str | None = None

    @property
    def enforced(self) -> bool:
        """Whether it makes the exit status 1."""
        return self.action == "deny" or "deny" in self.actions

    def _metadata(self) -> dict[str, Any]:
        """Details, which only Rego has."""
        return {} if self.constraint.template.native is not None else {"details": self.details}

    def to_json(self) -> dict[str, Any]:
        """The item of ``-o json``; its keys are gator's, in gator's order."""
        out: dict[str, Any] = {
            "target": TARGET,
            "msg": self.message,
            "metadata": self._metadata(),
            "constraint": _sorted(self.constraint.raw),
            "enforcementAction": self.action,
            "scopedActions": list(self.actions),
            "violatingObject": _sorted(self.object.raw),
            "trace": self.trace,
        }
        return {key: value for key, value in out.items() if value not in ([], {})}

    def to_yaml(self) -> dict[str, Any]:
        """The item of ``-o yaml``, which gator gives another shape."""
        return {
            "result": {
                "target": TARGET,
                "msg": self.message,
                "metadata": self._metadata(),
                "constraint": {"object": _sorted(self.constraint.raw)},
                "enforcementaction": self.action,
                "scopedenforcementactions": list(self.actions),
            },
            "violatingObject": _sorted(self.object.raw),
            "trace": self.trace,
        }

    def line(self) -> str:
        """The line of the default form, and the trace below it."""
        object = self.object
        name = f"{object.namespace}/{object.name}" if object.namespace else object.name
        quoted = f'["{self.constraint.object.name}"] Message: {quote(self.message)}'
        line = f"{object.api_version}/{object.kind} {name}: {quoted}"
        return line if self.trace is None else f"{line}\nTrace:\n{self.trace}"


def judge_all(
    engine: Engine,
    objects: Iterable[Object],
    *,
    print_to: Callable[[str], None] | None = None,
    tell: Callable[[Diagnostic], None] = lambda _: None,
    watch: Watch | None = None,
    tracing: bool = False,
) -> list[Result]:
    """Judge the objects; results are sorted as gator sorts them: by action, then by message.

    As in gator, mutators change what is expanded and what results show, not what is judged. ``tell`` takes
    what is to be said of providers that were asked, ``watch`` what is done; with that, ``tracing`` gives each
    result the trace of its object. Raises DiagnosticError where an object cannot be mutated or expanded, or a
    provider cannot be asked.
    """
    ask = Ask(point=GATOR, positions=False, print_to=print_to, workloads=False, explain=tracing, watch=watch)
    engine = replace(engine, namespaces={"default": DEFAULT_NAMESPACE, **engine.namespaces})
    found: list[Result] = []
    for object in objects:
        asking = engine.asking()
        found += _results(asking, object, ask)
        for warning in raise_unasked(asking):
            tell(warning)
    return sorted(found, key=lambda result: (result.action, result.message))


def gator_request(object: Object) -> Request:
    """The request that gator makes of an object."""
    request = Request.of(object, operation=Operation.NONE)
    return replace(request, resource=NO_RESOURCE, namespace=object.namespace)


def raise_unasked(engine: Engine) -> tuple[Diagnostic, ...]:
    """What is to be told of the providers of ``engine.asking()``.

    Raises Unasked where somebody had to be asked and could not be.
    """
    if not isinstance(engine.providers, Session):
        return ()
    if engine.providers.unasked:
        raise Unasked(engine.providers.unasked)
    return engine.providers.drain()


def occasion_of(engine: Engine) -> Occasion:
    """When gator's verbs mutate: at no operation, by nobody."""
    return Occasion(providers=engine.providers)


NAMELESS: Final = Object({})
DEFAULT: Final = Object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})


def _namespace(engine: Engine, object: Object) -> Object | None:
    """The Namespace that ``gator test`` matches an object with.

    One without a namespace is taken to be in a Namespace with neither name nor labels, and the Namespace
    ``default`` need not be given. gator does so with cluster-scoped objects too, which then escape from
    ``scope: Cluster``; those of kinds that are known to be cluster-scoped are matched here as at admission.
    """
    name = object.namespace
    if name:
        return engine.namespaces.get(name) or (DEFAULT if name == "default" else None)
    return None if BUILT_IN.namespaced(object.gvk) is False else NAMELESS


def _results(engine: Engine, object: Object, ask: Ask) -> Iterator[Result]:
    by_policy = {constraint.policy: constraint for constraint in engine.constraints}
    request = gator_request(object)
    request = replace(request, namespace_object=_namespace(engine, object))
    subject = Subject(object=object, namespace=request.namespace_object)
    mutated = engine.mutators.mutate(subject, occasion_of(engine)).object
    own = Watch(ask.watch.clock) if ask.watch is not None else None
    watch, ask = ask.watch, replace(ask, watch=own)
    findings = engine.review_itself(request, ask)
    findings += engine.review_children(request.with_object(mutated), ask)
    told = None
    if own is not None and watch is not None:
        watch.reviews += own.reviews
        told = trace(own, engine.constraints, findings) if ask.explain else None
    for finding in findings:
        constraint = by_policy[finding.policy]
        scoped = constraint.action == "scoped"
        data = finding.diagnostic.data
        yield Result(
            message=finding.diagnostic.message,
            details=data.get("details", {}),
            constraint=constraint,
            action=engine.expansions.action(str(data.get(IMPLIED_BY, ""))) or constraint.action,
            actions=constraint.actions.get(GATOR, ()) if scoped else (),
            object=mutated,
            trace=told,
        )


def _sorted(value: Any) -> Any:
    """The value with the keys of its objects in order, as Go's encoder writes maps."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
