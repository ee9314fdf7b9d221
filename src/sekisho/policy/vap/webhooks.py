"""The ``matchConditions`` of webhooks: whether a webhook is to be called at all (apiserver matchconditions).

They are those of a policy without params and variables. A condition that is false decides before any error;
an error without a false one is left to the webhook's failure policy.
"""

from __future__ import annotations

from dataclasses import dataclass

from sekisho.diag import Deadline, Diagnostic, DiagnosticError, Path
from sekisho.kube.object import Object
from sekisho.kube.review import Operation, Request
from sekisho.policy.expressions import (
    Compile,
    Compiled,
    Compiler,
    Expression,
    Expressions,
    Inputs,
    Named,
    conditions_hold,
    plain_compile,
    request_value,
)
from sekisho.policy.vap import codes
from sekisho.policy.vap.judge import Authorizers
from sekisho.policy.vap.policy import FAIL, condition_problems


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchConditions:
    """The compiled conditions of one webhook."""

    compiled: Compiled

    @classmethod
    def of(cls, object: Object, path: Path, *, compile: Compile | None = None) -> MatchConditions:
        """Those of the webhook at a path of its configuration (``webhooks``, 0).

        Raises DiagnosticError (POL160, POL180, CEL…) with all that is wrong with them.
        """
        raw = object.get(*path) or {}
        rows = raw.get("matchConditions") or ()
        base: Path = (*path, "matchConditions")
        problems = [
            Diagnostic(code=codes.BAD_POLICY, message=message, at=object.at(*at))
            for at, message in condition_problems(rows, base)
        ]
        if problems:
            raise DiagnosticError(problems)
        conditions = tuple(
            Named(name=row["name"], expression=Expression.at(object, *base, index, "expression"))
            for index, row in enumerate(rows)
        )
        fail = (raw.get("failurePolicy") or FAIL) == FAIL
        written = Expressions(conditions=conditions, fail=fail)
        return cls(compiled=Compiler(written, compile=compile or plain_compile).policy())

    def hold(
        self, request: Request, *, authorizers: Authorizers | None = None, deadline: Deadline | None = None
    ) -> bool:
        """Whether the webhook is to be called; raises ConditionError where that denies the request."""
        if not self.compiled.conditions:
            return True
        made = authorizers(request) if authorizers is not None else None
        deleted = request.operation is Operation.DELETE
        inputs = Inputs(
            object=None if deleted or request.object is None else request.object.raw,
            old_object=request.old_object.raw if request.old_object is not None else None,
            request=request_value(request, request.resource, request.kind, request.namespace),
            authorizer=made.authorizer if made else None,
            resource_authorizer=made.resource if made else None,
            deadline=deadline,
        )
        return conditions_hold(self.compiled, inputs)
