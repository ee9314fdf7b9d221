"""What the policies say of a request, as the API server's plugin has it (policy/validating, Dispatch).

For each policy that matches, for each of its bindings that does, for each of the params that the binding
gives: evaluate. Everything that is refused is a finding; the API server tells only the first one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from sekisho.diag import Code, Deadline, Diagnostic, Limit, Path
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Operation, Request, Rung, Verdict
from sekisho.policy.expressions import (
    Decision,
    Inputs,
    Outcome,
    Result,
    evaluate,
    explained,
    fault_path,
    names,
    namespace_value,
    request_value,
)
from sekisho.policy.vap import codes
from sekisho.policy.vap.binding import Binding
from sekisho.policy.vap.load import Policies, Policy
from sekisho.policy.vap.matching import Attributes, Matched, MatchError, matches
from sekisho.policy.vap.params import ParamError
from sekisho.policy.vap.versions import VersionError, in_version

SECRET: Final = "Secret"  # noqa: S105 - a kind
"""The kind whose objects are explained without values: reports end up in logs."""

FAILURES_KEY: Final = "validation.policy.admission.k8s.io/validation_failure"
"""The audit annotation of what bindings with the action Audit found."""

FAILURES: Final = Limit("failures in an audit annotation", 50, "failures", "the API server keeps no more")
ANNOTATION: Final = Limit("an audit annotation", 10 * 1024, "bytes", "the API server cuts longer ones")

STATUS: Final[Mapping[str, int]] = {
    "Forbidden": 403,
    "Unauthorized": 401,
    "RequestEntityTooLarge": 413,
    "Invalid": 422,
}
"""The HTTP status for each reason."""


class Authorized(NamedTuple):
    """``authorizer`` and ``authorizer.requestResource`` for the user of a request."""

    authorizer: Any
    resource: Any


Authorizers = Callable[[Request], Authorized]
"""Makes the values of the authorizer library for a request."""


class _Case(NamedTuple):
    """One evaluation of one policy."""

    policy: Policy
    binding: Binding
    inputs: Inputs
    param: Object | None


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges by a snapshot of policies. ``authorizers`` makes the values for a request, where somebody can.

    ``positions``: findings are about fields, which takes a second evaluation. ``explains``: they tell what
    the parts of the expressions were.
    """

    policies: Policies
    authorizers: Authorizers | None = None
    positions: bool = True
    explains: bool = False

    def __call__(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:  # noqa: ARG002
        """The judge for the chain of ``kube.review``."""
        return self.judge(request, deadline=deadline)

    def judge(self, request: Request, *, deadline: Deadline | None = None) -> Verdict:
        """What all policies say of a request."""
        policies = self.policies
        attributes = Attributes.of(request, policies.scheme, policies.namespaces)
        if attributes.exempt or (request.object is None and request.old_object is None):
            return Verdict()
        review = _Review(attributes, self, deadline)
        for policy in policies.policies:
            if policy.bindings:
                review.ask(policy)
        return review.verdict()


@dataclass(slots=True)
class _Review:
    """One request's way through the policies."""

    attributes: Attributes
    judge: Judge
    deadline: Deadline | None
    findings: list[Finding] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    _values: dict[Matched, Inputs] = field(default_factory=dict)

    def ask(self, policy: Policy) -> None:
        """Let a policy judge."""
        self._note(policy)
        try:
            matched = matches(policy.written.resources, self.attributes)
        except MatchError as error:
            self._misconfigured(policy, None, str(error))
            return
        if matched is None:
            return
        annotations: dict[str, list[str]] = {}
        for binding in policy.bindings:
            self._ask_bound(policy, binding, matched, annotations)
        for key, values in annotations.items():
            self.annotations[f"{policy.name}/{key}"] = ", ".join(values)

    def _ask_bound(
        self, policy: Policy, binding: Binding, matched: Matched, annotations: dict[str, list[str]]
    ) -> None:
        kind = policy.written.param_kind
        try:
            if binding.resources is not None and matches(binding.resources, self.attributes) is None:
                return
            params = self.judge.policies.params.collect(
                kind, binding.param_ref, self.attributes.namespace, self.attributes.scheme
            )
            inputs = self._inputs(policy, matched) if params else None
        except (MatchError, ParamError, VersionError) as error:
            self._misconfigured(policy, binding, str(error))
            return
        for param in params:
            assert inputs is not None, "there are inputs where there are params"
            asked = replace(inputs, params=param.raw) if param is not None else inputs
            outcome = evaluate(policy.compiled, asked)
            self._take(_Case(policy, binding, asked, param), outcome)
            self._annotate(policy, binding, outcome, annotations)

    def _inputs(self, policy: Policy, matched: Matched) -> Inputs:
        inputs = self._values.get(matched)
        if inputs is None:
            inputs = self._values[matched] = self._make(matched)
        for name, why in inputs.unknown.items():
            if name in policy.compiled.names:
                raise MatchError(why)
        return inputs

    def _make(self, matched: Matched) -> Inputs:
        attributes, request = self.attributes, self.attributes.request
        namespace = attributes.namespace_object()
        unknown: dict[str, str] = {}
        if namespace is None and attributes.in_namespace:
            unknown[names.NAMESPACE] = f'namespaces "{attributes.in_namespace}" not found'
        authorizers = self.judge.authorizers
        made = authorizers(request) if authorizers is not None else None
        deleted = request.operation is Operation.DELETE
        return Inputs(
            object=None if deleted else in_version(request.object, matched.kind),
            old_object=in_version(request.old_object, matched.kind),
            request=request_value(request, matched.resource, matched.kind, attributes.namespace),
            namespace=namespace_value(namespace),
            authorizer=made.authorizer if made else None,
            resource_authorizer=made.resource if made else None,
            unknown=unknown,
            deadline=self.deadline,
        )

    def _take(self, case: _Case, outcome: Outcome) -> None:
        binding = case.binding
        for decision in outcome.decisions:
            if not decision.denies:
                continue
            if "Audit" in binding.actions:
                self.failures.append(
                    {
                        "message": decision.message,
                        "policy": binding.policy_name,
                        "binding": binding.name,
                        "expressionIndex": decision.index,
                        "validationActions": list(binding.actions),
                    }
                )
            self.findings.append(self._finding(case, decision))

    def _annotate(
        self, policy: Policy, binding: Binding, outcome: Outcome, annotations: dict[str, list[str]]
    ) -> None:
        for row in outcome.annotations:
            if row.error:
                # An annotation that fails denies, whatever the binding's actions are.
                diagnostic = self._diagnostic(codes.FAILED, policy, binding, row.error, ())
                self._add(diagnostic, policy, binding, Rung.DENY, "Deny")
                continue
            values = annotations.setdefault(row.key, [])
            value = row.value.encode("utf-8", "surrogatepass")[: ANNOTATION.value].decode("utf-8", "ignore")
            if value not in values:
                values.append(value)

    def _finding(self, case: _Case, decision: Decision) -> Finding:
        policy, binding = case.policy, case.binding
        failed = decision.result is Result.FAILED
        path: Path = ()
        if decision.expression is not None and self.judge.positions:
            path = fault_path(policy.compiled, decision.index, case.inputs)
        code = codes.FAILED if failed else codes.DENIED
        diagnostic = self._diagnostic(code, policy, binding, decision.message, path)
        reason = decision.reason or "Invalid"
        data = {**diagnostic.data, "reason": reason, "code": STATUS[reason]}
        if decision.expression is not None:
            data["expressionIndex"] = decision.index
        if case.param is not None:
            data["param"] = str(case.param.ref())
        diagnostic = replace(diagnostic, data=data)
        if decision.expression is not None and self.judge.explains:
            values = self.attributes.request.kind.kind != SECRET
            diagnostic = explained(diagnostic, policy.compiled, decision.index, case.inputs, values=values)
        if decision.problem is not None:
            cause = decision.problem.diagnostics[0]
            if cause.at is not None:
                diagnostic = diagnostic.with_note(f"{cause.code.id}: the evaluation failed here", cause.at)
        return _as_finding(diagnostic, policy, binding, binding.rung, binding.word)

    def _misconfigured(self, policy: Policy, binding: Binding | None, why: str) -> None:
        """A policy that cannot be applied denies, unless its failure policy is Ignore."""
        if not policy.written.fail:
            return
        message = f"failed to configure {'policy' if binding is None else 'binding'}: {why}"
        diagnostic = self._diagnostic(codes.MISCONFIGURED, policy, binding, message, ())
        help = ""
        if why.startswith("namespaces ") and why.endswith(" not found"):
            help = f"add the Namespace {self.attributes.in_namespace} to the input"
        place = policy.written.object if binding is None else binding.object
        diagnostic = replace(diagnostic, help=help).with_note("by this", place.at("metadata", "name"))
        self._add(diagnostic, policy, binding, Rung.DENY, "Deny")

    def _diagnostic(
        self, code: Code, policy: Policy, binding: Binding | None, message: str, path: Path
    ) -> Diagnostic:
        return Diagnostic(
            code=code,
            message=message,
            at=self.attributes.request.subject.at(*path),
            policy=policy.identity,
            data={} if binding is None else {"binding": binding.name},
        )

    def _add(
        self, diagnostic: Diagnostic, policy: Policy, binding: Binding | None, rung: Rung, word: str
    ) -> None:
        self.findings.append(_as_finding(diagnostic, policy, binding, rung, word))

    def verdict(self) -> Verdict:
        """The answer."""
        annotations = dict(self.annotations)
        if self.failures:
            rows = self.failures[: FAILURES.value]
            annotations[FAILURES_KEY] = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        return Verdict.of(self.findings, audit_annotations=annotations, reads=frozenset(self.reads))

    def _note(self, policy: Policy) -> None:
        """Note what the verdict depends on besides the object, in the words of ``Verdict.reads``."""
        namespace, kind = self.attributes.in_namespace, policy.written.param_kind
        if namespace and policy.selects_namespaces:
            self.reads.add(f"labels {namespace}")
        if namespace and names.NAMESPACE in policy.compiled.names:
            self.reads.add(f"Namespace {namespace}")
        if kind is not None:
            self.reads.add(f"inventory * {kind.api_version} {kind.kind}")


def _as_finding(
    diagnostic: Diagnostic, policy: Policy, binding: Binding | None, rung: Rung, word: str
) -> Finding:
    by = f"ValidatingAdmissionPolicy '{policy.name}'"
    if binding is not None:
        by = f"{by} with binding '{binding.name}'"
    told = f"{by} denied request" if rung is Rung.DENY else f"Validation failed for {by}"
    return Finding.of(diagnostic, rung, word=word, line=f"{told}: {diagnostic.message}")
