"""ValidatingAdmissionPolicyBindings: from the object to what the judge applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import DiagnosticError, Path
from sekisho.kube import fielderror
from sekisho.kube.ladder import Rung
from sekisho.kube.names import dns_subdomain, path_segment
from sekisho.kube.object import Object
from sekisho.kube.selectors import Selector, label_selector, label_selector_problems
from sekisho.policy.vap import codes
from sekisho.policy.vap.resources import Problem, Resources, read_resources, resources_problems
from sekisho.policy.vap.shape import GROUP, problems_of

KIND: Final = "ValidatingAdmissionPolicyBinding"

ALLOW: Final = "Allow"
DENY: Final = "Deny"
NOT_FOUND_ACTIONS: Final = (DENY, ALLOW)

RUNGS: Final[Mapping[str, Rung]] = {"Audit": Rung.OBSERVE, "Deny": Rung.DENY, "Warn": Rung.WARN}
"""The words of validationActions, in the order in which the API server lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamRef:
    """Where a policy's params are: one by ``name``, or all that ``selector`` selects."""

    name: str = ""
    namespace: str = ""
    selector: Selector | None = None
    deny_missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A binding that can be applied. ``resources`` None leaves it to the policy which requests match."""

    object: Object
    policy_name: str
    actions: tuple[str, ...]
    param_ref: ParamRef | None = None
    resources: Resources | None = None

    @property
    def name(self) -> str:
        """The binding's name."""
        return self.object.name

    @property
    def rung(self) -> Rung:
        """The gravest rung that its actions ask for."""
        return max(RUNGS[action] for action in self.actions)

    @property
    def word(self) -> str:
        """The action that asks for it."""
        return max(self.actions, key=RUNGS.__getitem__)


def is_binding(object: Object) -> bool:
    """Whether an object is a binding, of any version."""
    return object.gvk.group == GROUP and object.gvk.kind == KIND


def load_binding(object: Object) -> Binding:
    """The binding in an object; raises DiagnosticError with all that is wrong with it (KUB1xx, POL161)."""
    problems = problems_of(object, codes.BAD_BINDING, lambda spec: _problems(spec, ("spec",)))
    if problems:
        raise DiagnosticError(problems)
    spec = object.raw["spec"]
    resources = spec.get("matchResources")
    return Binding(
        object=object,
        policy_name=spec["policyName"],
        actions=tuple(spec["validationActions"]),
        param_ref=_param_ref(spec.get("paramRef")),
        resources=None if resources is None else read_resources(resources),
    )


def _param_ref(raw: Mapping[str, Any] | None) -> ParamRef | None:
    if raw is None:
        return None
    selector = raw.get("selector")
    return ParamRef(
        name=raw.get("name") or "",
        namespace=raw.get("namespace") or "",
        selector=None if selector is None else label_selector(selector),
        deny_missing=raw.get("parameterNotFoundAction") == DENY,
    )


def _problems(spec: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    name, at = spec.get("policyName") or "", (*path, "policyName")
    if not name:
        yield at, fielderror.required(at)
    for message in dns_subdomain(name) if name else ():
        yield at, fielderror.invalid(at, name, message)
    reference = spec.get("paramRef")
    if reference is not None:
        yield from _param_ref_problems(reference, (*path, "paramRef"))
    if spec.get("matchResources") is not None:
        yield from resources_problems(spec["matchResources"], (*path, "matchResources"))
    yield from _action_problems(spec.get("validationActions") or (), (*path, "validationActions"))


def _param_ref_problems(raw: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    name, selector = raw.get("name") or "", raw.get("selector")
    both = "name and selector are mutually exclusive"
    at: Path = (*path, "name")
    for message in path_segment(name):
        yield at, fielderror.invalid(at, name, message)
    if name and selector is not None:
        yield at, fielderror.forbidden(at, both)
    at = (*path, "selector")
    if selector is not None:
        yield from label_selector_problems(selector, at)
        if name:
            yield at, fielderror.forbidden(at, both)
    elif not name:
        yield path, fielderror.required(path, "one of name or selector must be specified")
    action, at = raw.get("parameterNotFoundAction"), (*path, "parameterNotFoundAction")
    if not action:
        yield at, fielderror.required(at)
    elif action not in NOT_FOUND_ACTIONS:
        yield at, fielderror.not_supported(at, action, NOT_FOUND_ACTIONS)


def _action_problems(actions: Sequence[str], path: Path) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, action in enumerate(actions):
        at = (*path, index)
        if action not in RUNGS:
            yield at, fielderror.not_supported(at, action, tuple(RUNGS))
        if action in seen:
            yield at, fielderror.duplicate(at, action)
        seen.add(action)
    if {"Deny", "Warn"} <= seen:
        detail = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the "
            "API response and headers serves no purpose)"
        )
        yield path, fielderror.invalid(path, list(actions), detail)
    if not seen:
        yield path, fielderror.required(path, "at least one validation action is required")
