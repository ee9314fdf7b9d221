"""From objects to policies that can judge: decode, compile, and put bindings to their policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Level, ObjectRef, Source
from sekisho.kube.gvk import BUILT_IN, GVK, Scheme
from sekisho.kube.object import Object
from sekisho.policy.expressions import (
    Compile,
    Compiled,
    Compiler,
    Expression,
    Expressions,
    Named,
    Validation,
    plain_compile,
)
from sekisho.policy.vap import codes
from sekisho.policy.vap.binding import Binding, is_binding, load_binding
from sekisho.policy.vap.params import Params
from sekisho.policy.vap.policy import Written, is_policy, read_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy that can judge, and its bindings in the order of their names."""

    written: Written
    compiled: Compiled
    bindings: tuple[Binding, ...] = ()

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.written.name

    @property
    def selects_namespaces(self) -> bool:
        """Whether it, or a binding of it, looks at the labels of Namespaces."""
        rows = (self.written.resources, *(row.resources for row in self.bindings))
        return any(row is not None and bool(row.namespace_selector.requirements) for row in rows)

    @property
    def identity(self) -> str:
        """``ValidatingAdmissionPolicy/x``."""
        return f"{self.written.object.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """A snapshot: policies in the order of their names, and what they look up. Immutable.

    ``problems`` are what is wrong with policies and bindings that could not be used, and warnings; ``faults``
    are the errors among them, by the object that is wrong.
    """

    policies: tuple[Policy, ...] = ()
    namespaces: Mapping[str, Object] = field(default_factory=dict)
    params: Params = field(default_factory=Params)
    scheme: Scheme = BUILT_IN
    problems: tuple[Diagnostic, ...] = ()
    faults: Mapping[ObjectRef, Sequence[Diagnostic]] = field(default_factory=dict)
    _given: tuple[Object, ...] = ()

    @classmethod
    def build(
        cls,
        objects: Iterable[Object],
        *,
        inventory: Iterable[Object] = (),
        compile: Compile | None = None,
    ) -> Policies:
        """The policies and bindings among these objects, in any order; other objects are ignored.

        ``inventory`` is where Namespaces, params and CustomResourceDefinitions are looked up, besides them.
        """
        builder = _Builder(compile)
        policies = tuple(objects)
        return builder.build(policies, (*policies, *inventory))

    def with_inventory(self, inventory: Iterable[Object]) -> Policies:
        """The same policies over another inventory."""
        return replace(self, **_looked_up(self.policies, (*self._given, *inventory)))

    @property
    def any(self) -> bool:
        """Whether there is anything to judge by."""
        return any(policy.bindings for policy in self.policies)

    @property
    def bindings(self) -> int:
        """How many bindings are in force."""
        return sum(len(policy.bindings) for policy in self.policies)

    def objects(self) -> Iterator[Object]:
        """The policies and bindings themselves."""
        for policy in self.policies:
            yield policy.written.object
            yield from (binding.object for binding in policy.bindings)

    def sources(self) -> Iterator[Source]:
        """The sources of the expressions."""
        for policy in self.policies:
            yield from policy.compiled.sources

    def concerns(self, gvk: GVK) -> bool:
        """Whether a policy may be about objects of a kind."""
        resource = self.scheme.resource(gvk)
        return any(policy.written.resources.concern(resource) for policy in self.policies if policy.bindings)


NO_POLICIES: Final = Policies()


class _Builder:
    def __init__(self, compile: Compile | None) -> None:
        self._compile = compile
        self._problems: list[Diagnostic] = []
        self._faults: dict[ObjectRef, Sequence[Diagnostic]] = {}

    def build(self, objects: tuple[Object, ...], known: tuple[Object, ...]) -> Policies:
        written = self._load(objects, is_policy, read_policy, codes.SAME_NAME)
        named = {row.name for row in objects if is_policy(row)}
        bindings = self._load(objects, is_binding, load_binding, codes.SAME_NAME)
        policies = []
        for name, policy in sorted(written.items()):
            own = tuple(row for _, row in sorted(bindings.items()) if row.policy_name == name)
            made = self._policy(policy, own)
            if made is not None:
                policies.append(made)
        for binding in bindings.values():
            if binding.policy_name not in named:
                self._problems.append(_without_policy(binding))
        return Policies(
            policies=tuple(policies),
            problems=tuple(self._problems),
            faults=self._faults,
            _given=objects,
            **_looked_up(policies, known),
        )

    def _load(self, objects: tuple[Object, ...], wanted: Any, load: Any, twice: Code) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for object in objects:
            if not wanted(object):
                continue
            other = found.get(object.name)
            if other is not None and other.object.raw != object.raw:
                self._problems.append(_twice(twice, object, other.object))
            try:
                found[object.name] = load(object)
            except DiagnosticError as error:
                self._refuse(object, error)
        return found

    def _refuse(self, object: Object, error: DiagnosticError) -> None:
        self._problems += error.diagnostics
        self._faults[object.ref()] = error.diagnostics

    def _policy(self, written: Written, bindings: tuple[Binding, ...]) -> Policy | None:
        try:
            compiled = compile_policy(written, self._compile)
        except DiagnosticError as error:
            self._refuse(written.object, error)
            return None
        if not bindings:
            self._problems.append(_unbound(written))
        return Policy(written=written, compiled=compiled, bindings=bindings)


def _looked_up(policies: Iterable[Policy], known: tuple[Object, ...]) -> dict[str, Any]:
    """What policies look up among these objects."""
    kinds = [row.written.param_kind for row in policies if row.written.param_kind]
    return {
        "namespaces": {row.name: row for row in known if row.is_namespace},
        "params": Params.of(kinds, known),
        "scheme": BUILT_IN.with_crds(row.raw for row in known if row.kind == "CustomResourceDefinition"),
    }


def expressions_of(written: Written) -> Expressions:
    """The expressions of a policy."""
    object, spec = written.object, written.spec

    def at(field: str, index: int, key: str = "expression") -> Expression:
        return Expression.at(object, "spec", field, index, key)

    def named(field: str, name: str = "name", key: str = "expression") -> tuple[Named, ...]:
        rows = spec.get(field) or ()
        return tuple(
            Named(name=row[name], expression=at(field, index, key)) for index, row in enumerate(rows)
        )

    return Expressions(
        validations=tuple(
            Validation(
                expression=at("validations", index),
                message=row.get("message") or "",
                message_expression=(
                    at("validations", index, "messageExpression") if row.get("messageExpression") else None
                ),
                reason=row.get("reason") or "",
            )
            for index, row in enumerate(spec.get("validations") or ())
        ),
        variables=named("variables"),
        conditions=named("matchConditions"),
        annotations=named("auditAnnotations", "key", "valueExpression"),
        fail=written.fail,
        params=written.param_kind is not None,
    )


def compile_policy(written: Written, compile: Compile | None = None) -> Compiled:
    """The programs of a policy; raises DiagnosticError with all that is wrong with its expressions."""
    return Compiler(expressions_of(written), compile=compile or plain_compile).policy()


def _without_policy(binding: Binding) -> Diagnostic:
    return Diagnostic(
        code=codes.NO_POLICY,
        level=Level.WARNING,
        message=f"there is no ValidatingAdmissionPolicy {binding.policy_name}, so nothing is judged by this",
        at=binding.object.at("spec", "policyName"),
        help="give the policy's file too; the order does not matter",
    )


def _unbound(written: Written) -> Diagnostic:
    return Diagnostic(
        code=codes.UNBOUND,
        level=Level.NOTE,
        message=f"no ValidatingAdmissionPolicyBinding names {written.name}, so nothing is judged by it",
        at=written.object.at("metadata", "name"),
    )


def _twice(code: Code, object: Object, other: Object) -> Diagnostic:
    return Diagnostic(
        code=code,
        message=f"this {object.kind} is given twice with different contents; the last one holds",
        level=Level.WARNING,
        at=object.at("metadata", "name"),
    ).with_note("the other one is here", other.at("metadata", "name"))
