"""One case judged by two templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sekisho.diag import DiagnosticError
from sekisho.kube.object import Object
from sekisho.kube.review import Request
from sekisho.policy import codes
from sekisho.policy.code import REGO, Choice
from sekisho.policy.compiler import compile_code
from sekisho.policy.constraint import GATOR, Constraint, load_constraint
from sekisho.policy.engine import Ask, Engine
from sekisho.policy.gator import gator_request
from sekisho.policy.library import entry
from sekisho.policy.reviewfile import is_review, review_request
from sekisho.policy.template import Template, load_template
from tests.conformance.library.cases import Case, Difference

IN_REGO = Choice(engine=REGO)
ASK = Ask(point=GATOR, positions=False, workloads=False)


class Both:
    """Their templates and ours, each compiled once."""

    def __init__(self) -> None:
        self._theirs: dict[int, Template] = {}
        self._ours: dict[str, Template] = {}

    def compare(self, case: Case, object: Object, suffix: str) -> Iterator[Difference]:
        """What differs for one object of a case."""
        try:
            ours = load_constraint(case.constraint, self._our(case.kind))
        except DiagnosticError as error:
            yield Difference(case.kind, case.name, "constraint", error.diagnostics[0].message)
            return
        theirs = load_constraint(case.constraint, self._their(case.template))
        request = request_of(object)
        got = _messages(ours, case.inventory, request)
        want = _messages(theirs, case.inventory, request)
        name = case.name + suffix
        if isinstance(want, str):
            why = f"{len(got)} here" if isinstance(got, list) else "fails here too"
            yield Difference(case.kind, name, "fails there", f"{why}; there: {want}")
        elif isinstance(got, str):
            yield Difference(case.kind, name, "fails here", got)
        elif len(got) != len(want):
            text = f"{len(got)} here, {len(want)} there: {_excess(got, want)}, {_excess(want, got)}"
            yield Difference(case.kind, name, "number", text)
        elif not suffix:
            for assertion in case.assertions:
                problem = assertion.problem(got)
                if problem is not None:
                    yield Difference(case.kind, name, "assertion", problem.message)

    def number(self, case: Case) -> int | None:
        """How many violations our template finds; None if the evaluation fails."""
        constraint = load_constraint(case.constraint, self._our(case.kind))
        got = _messages(constraint, case.inventory, request_of(case.object))
        return None if isinstance(got, str) else len(got)

    def _our(self, kind: str) -> Template:
        if kind not in self._ours:
            self._ours[kind] = load_template(entry(kind).template, compile=compile_code, choice=IN_REGO)
        return self._ours[kind]

    def _their(self, object: Object) -> Template:
        if id(object) not in self._theirs:
            self._theirs[id(object)] = load_template(object, compile=compile_code, choice=IN_REGO)
        return self._theirs[id(object)]


def request_of(object: Object) -> Request:
    """The request that gator makes of a file."""
    return review_request(object) if is_review(object) else gator_request(object)


def _messages(constraint: Constraint, inventory: tuple[Object, ...], request: Request) -> list[str] | str:
    """The messages of the violations; the error where the evaluation fails."""
    findings = Engine.of([constraint], inventory=inventory).review_itself(request, ASK)
    for finding in findings:
        if finding.diagnostic.code is codes.EVALUATION:
            return finding.diagnostic.message
    return sorted(finding.diagnostic.message for finding in findings)


def _excess(some: list[str], others: list[str]) -> list[str]:
    return sorted((Counter(some) - Counter(others)).elements())
