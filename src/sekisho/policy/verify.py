"""``gator verify``: runs the tests of suites (policy.md 1.11).

Each case is reviewed by its test's one constraint with gator's input: the operation empty, no defaults filled
in. A template is compiled once, however many tests and cases name it. Files come through ``Files``, time
through ``clock``; nothing else is touched.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from sekisho.diag import Code, Diagnostic, DiagnosticError, Level, ObjectPath
from sekisho.kube.object import Object
from sekisho.kube.review import Finding
from sekisho.kube.schema import codes as schema_codes
from sekisho.lang.golang.gotext import quote
from sekisho.manifest import Document
from sekisho.manifest import codes as manifest_codes
from sekisho.policy import codes
from sekisho.policy.code import ANY_ENGINE, Choice, Compiler
from sekisho.policy.constraint import GATOR, Constraint, is_constraint, load_constraint
from sekisho.policy.engine import Ask, Engine
from sekisho.policy.expansion import Expansions, is_expansion_template
from sekisho.policy.external import Providers, Unasked
from sekisho.policy.gator import gator_request, occasion_of, raise_unasked
from sekisho.policy.match import Subject
from sekisho.policy.mutation import Mutators, is_mutator
from sekisho.policy.reviewfile import is_review, review_request
from sekisho.policy.suite import EVERYTHING, Case, Filter, Suite, Test
from sekisho.policy.template import Template, is_template, load_template
from sekisho.policy.watch import Watch, trace

SCHEMA_ERRORS: Final = frozenset(
    {
        schema_codes.WRONG_TYPE,
        schema_codes.MISSING,
        schema_codes.UNSUPPORTED,
        schema_codes.BAD_VALUE,
        schema_codes.OUT_OF_BOUNDS,
        schema_codes.DUPLICATE,
        schema_codes.NO_ALTERNATIVE,
        schema_codes.UNKNOWN_FIELD,
        codes.BAD_MATCH,
    }
)
"""What ``invalid: true`` waits for: the constraint is refused by the schema that its template generates."""


NOT_THERE: Final = (manifest_codes.NOT_FOUND, manifest_codes.UNREADABLE, manifest_codes.NOT_A_FILE)

_TEMPLATE: Final = (
    "reading ConstraintTemplate from {}",
    "adding template: parsing ConstraintTemplate YAML from {}",
)
_CONSTRAINT: Final = ("reading Constraint from {}", "adding constraint: parsing Constraint from {}")
_OBJECTS: Final = ("reading {}", "reading {}: invalid yaml")
"""What gator says before the reason, of a file that is not there and of one that cannot be parsed."""


class Files(Protocol):
    """Where suites find what they name."""

    def documents(self, path: str, *, lists: bool) -> Sequence[Document]:
        """The documents of a file, items of Lists apart if ``lists``; raises DiagnosticError (SRC…)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """How a case went. ``problem`` is what failed, ``printed`` what its template printed.

    ``trace`` is there if it was asked for and the object was judged.
    """

    case: Case
    problem: Diagnostic | None = None
    seconds: float = 0.0
    skipped: bool = False
    printed: tuple[str, ...] = ()
    trace: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it counts against the suite."""
        return self.problem is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """How a test went; with a ``problem`` of its own no case was run."""

    __test__ = False
    test: Test
    problem: Diagnostic | None = None
    seconds: float = 0.0
    skipped: bool = False
    cases: tuple[CaseResult, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it counts against the suite."""
        return self.problem is not None or any(case.failed for case in self.cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """How a suite went."""

    suite: Suite
    seconds: float = 0.0
    skipped: bool = False
    tests: tuple[TestResult, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether something in it failed."""
        return any(test.failed for test in self.tests)

    def problems(self) -> Iterator[Diagnostic]:
        """What failed, in order, with the names of test and case as its policy."""
        for test in self.tests:
            if test.problem is not None:
                yield replace(test.problem, policy=test.test.name)
            for case in test.cases:
                if case.problem is not None:
                    yield replace(case.problem, policy=f"{test.test.name}//{case.case.name}")


class Runner:
    """Runs suites; what they share is read and compiled once.

    ``providers`` is where policies get external data; ``tell`` takes what is to be said of them.
    """

    def __init__(
        self,
        files: Files,
        *,
        compile: Compiler,
        choice: Choice = ANY_ENGINE,
        clock: Callable[[], float] = time.perf_counter,
        providers: Providers | None = None,
        tell: Callable[[Diagnostic], None] = lambda _: None,
    ) -> None:
        self._files = files
        self._compile = compile
        self._choice = choice
        self._clock = clock
        self._providers = providers
        self._tell = tell
        self._templates: dict[str, Template | DiagnosticError] = {}

    def run(
        self, suite: Suite, filter: Filter = EVERYTHING, *, verbose: bool = False, tracing: bool = False
    ) -> SuiteResult:
        """Run a suite. ``verbose`` keeps what templates print, ``tracing`` how violations came about."""
        if suite.skip:
            return SuiteResult(suite=suite, skipped=True)
        start = self._clock()
        folder = os.path.dirname(suite.file)  # noqa: PTH120 - a suite's file may be a name of any kind
        run = _Run(folder=folder, filter=filter, verbose=verbose, tracing=tracing)
        tests = tuple(self._test(test, run) for test in suite.tests)
        return SuiteResult(suite=suite, seconds=self._clock() - start, tests=tests)

    def _test(self, test: Test, run: _Run) -> TestResult:
        if test.skip or not run.filter.wants_test(test):
            return TestResult(test=test, skipped=True)
        start = self._clock()
        problem: Diagnostic | None = None
        cases: tuple[CaseResult, ...] = ()
        try:
            constraint = self._constraint(test, run)
            if test.invalid:
                problem = _valid(test, None)
            else:
                engine = self._engine(constraint, test, run)
                cases = tuple(self._case(case, test, engine, run) for case in test.cases)
        except _Refused as refused:
            problem = _valid(test, refused) if test.invalid else refused.problem
        return TestResult(test=test, problem=problem, seconds=self._clock() - start, cases=cases)

    def _constraint(self, test: Test, run: _Run) -> Constraint:
        if not test.template:
            raise _refuse(codes.BAD_CASE, "invalid Suite: missing template", test.at)
        template = self._template(run.path(test.template), _at(test.at, "template"))
        at = _at(test.at, "constraint")
        if not test.constraint:
            raise _refuse(codes.BAD_CASE, "invalid Suite: missing constraint", test.at)
        path = run.path(test.constraint)
        object = self._first(path, _CONSTRAINT, at)
        if not is_constraint(object):
            raise _refuse(codes.SUITE_FILE, f"path {quote(path)}: not a Constraint", at)
        if object.kind != template.kind:
            message = f"adding constraint: missing ConstraintTemplate: {object.kind}"
            raise _refuse(codes.SUITE_POLICY, message, at)
        try:
            return load_constraint(object, template, any_action=True)
        except DiagnosticError as error:
            raise _wrapped(codes.SUITE_POLICY, "adding constraint", error, at) from None

    def _engine(self, constraint: Constraint, test: Test, run: _Run) -> Engine:
        mutators: list[Object] = []
        for index, name in enumerate(test.mutators):
            mutators += self._all(run.path(name), is_mutator, "a mutator", _at(test.at, "mutators", index))
        expansions: list[Object] = []
        if test.expansion:
            at = _at(test.at, "expansion")
            path = run.path(test.expansion)
            expansions = self._all(path, is_expansion_template, "an Expansion Template", at)
        engine = Engine.of(
            (constraint,), mutators=Mutators.build(mutators), expansions=Expansions.build(expansions)
        )
        problems = (*engine.mutators.problems, *engine.expansions.problems)
        errors = [problem for problem in problems if problem.level is Level.ERROR]
        if errors:
            raise _wrapped(codes.SUITE_POLICY, "adding policies", DiagnosticError(errors), test.at)
        return replace(engine, providers=self._providers)

    def _template(self, path: str, at: ObjectPath) -> Template:
        known = self._templates.get(path)
        if known is None:
            object = self._first(path, _TEMPLATE, at)
            if not is_template(object):
                raise _refuse(codes.SUITE_FILE, f"path {quote(path)}: not a ConstraintTemplate", at)
            try:
                known = load_template(object, compile=self._compile, choice=self._choice)
            except DiagnosticError as error:
                known = error
            self._templates[path] = known
        if isinstance(known, DiagnosticError):
            raise _wrapped(codes.SUITE_POLICY, "adding template", known, at)
        return known

    def _case(self, case: Case, test: Test, engine: Engine, run: _Run) -> CaseResult:
        if case.skip or not run.filter.wants_case(test, case):
            return CaseResult(case=case, skipped=True)
        start = self._clock()
        printed: list[str] = []
        ask = Ask(
            point=GATOR,
            positions=False,
            print_to=printed.append if run.verbose else None,
            workloads=False,
            explain=run.tracing,
            watch=Watch(int) if run.tracing else None,
        )
        traced = None
        try:
            problem, traced = self._judge(case, engine, run, ask)
        except _Refused as refused:
            problem = refused.problem
        seconds = self._clock() - start
        result = CaseResult(case=case, problem=problem, seconds=seconds, printed=tuple(printed))
        return replace(result, trace=traced)

    def _judge(self, case: Case, engine: Engine, run: _Run, ask: Ask) -> tuple[Diagnostic | None, str | None]:
        """The first assertion that does not hold, and the trace if it is asked for."""
        if not case.object:
            raise _refuse(codes.BAD_CASE, "invalid Case: must define object", case.at)
        if not case.assertions:
            raise _refuse(codes.BAD_CASE, "invalid Case: assertions must be non-empty", case.at)
        path, at = run.path(case.object), _at(case.at, "object")
        object = self._only(path, at)
        if case.inventory:
            engine = engine.with_inventory(self._inventory(case, run))
        engine = engine.asking()
        try:
            findings = _review(engine, object, ask)
            for warning in raise_unasked(engine):
                self._tell(warning)
        except Unasked as error:
            raise _wrapped(codes.BAD_CASE, "", error, at) from None
        except DiagnosticError as error:
            raise _wrapped(codes.SUITE_FILE, "", error, at) from None
        messages = sorted(finding.diagnostic.message for finding in findings)
        found = (assertion.problem(messages) for assertion in case.assertions)
        traced = None if ask.watch is None else trace(ask.watch, engine.constraints, findings)
        return next((problem for problem in found if problem is not None), None), traced

    def _inventory(self, case: Case, run: _Run) -> list[Object]:
        objects: list[Object] = []
        for index, name in enumerate(case.inventory):
            path, at = run.path(name), _at(case.at, "inventory", index)
            for document in self._documents(path, _OBJECTS, at, lists=True):
                object = _object(document, path, at)
                if not object.api_version:
                    message = f"unable to add object to data.inventory: {object.ref()} has no apiVersion"
                    raise _refuse(codes.SUITE_FILE, message, at)
                objects.append(object)
        return objects

    def _only(self, path: str, at: ObjectPath) -> Object:
        """The one object of a file."""
        documents = self._documents(path, _OBJECTS, at, lists=False)
        if len(documents) > 1:
            message = (
                f"object file must contain exactly one object: {quote(path)} defines {len(documents)} objects"
            )
            raise _refuse(codes.SUITE_FILE, message, at)
        return _object(documents[0], path, at)

    def _first(self, path: str, what: tuple[str, str], at: ObjectPath) -> Object:
        """The first object of a file: of templates and constraints gator reads no more."""
        return _object(self._documents(path, what, at, lists=False)[0], path, at)

    def _all(self, path: str, wanted: Callable[[Object], bool], what: str, at: ObjectPath) -> list[Object]:
        """The objects of a file, all of which must be of one sort."""
        documents = self._documents(path, _OBJECTS, at, lists=True)
        objects = [_object(document, path, at) for document in documents]
        if not all(map(wanted, objects)):
            raise _refuse(codes.SUITE_FILE, f"not {what}: {quote(path)}", at)
        return objects

    def _documents(self, path: str, what: tuple[str, str], at: ObjectPath, *, lists: bool) -> list[Document]:
        """The documents of a file that are not empty, at least one."""
        try:
            documents = self._files.documents(path, lists=lists)
        except DiagnosticError as error:
            there = error.diagnostics[0].code not in NOT_THERE
            raise _wrapped(codes.SUITE_FILE, what[there].format(quote(path)), error, at) from None
        found = [document for document in documents if document.value is not None]
        if not found:
            message = f"missing objects: path {quote(path)} defines no YAML objects"
            raise _refuse(codes.SUITE_FILE, message, at)
        return found


def _review(engine: Engine, object: Object, ask: Ask) -> tuple[Finding, ...]:
    """The violations of an object, mutated first, and of what it will bring about.

    As in gator, an AdmissionReview is judged as it is: it says what admission was asked.
    """
    if is_review(object):
        request = review_request(object)
        request = replace(request, namespace_object=engine.namespace_of(request))
        return engine.review_itself(request, ask)
    request = gator_request(object)
    request = replace(request, namespace_object=engine.namespace_of(request))
    subject = Subject(object=object, namespace=request.namespace_object)
    mutated = engine.mutators.mutate(subject, occasion_of(engine)).object
    return engine.review(request.with_object(mutated), ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run of one suite."""

    folder: str
    filter: Filter
    verbose: bool
    tracing: bool

    def path(self, name: str) -> str:
        """A path in the suite, from where the program runs."""
        return os.path.normpath(os.path.join(self.folder, name))  # noqa: PTH118 - likewise


class _Refused(Exception):
    """A test or case that cannot be run. ``schema`` tells a constraint that its schema refuses."""

    def __init__(self, problem: Diagnostic, *, schema: bool = False) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.schema = schema


def _refuse(code: Code, message: str, at: ObjectPath) -> _Refused:
    return _Refused(Diagnostic(code=code, message=message, at=at))


def _wrapped(code: Code, prefix: str, error: DiagnosticError, at: ObjectPath) -> _Refused:
    """The first thing that is wrong, in the suite's own place; all of them are notes in theirs."""
    found = error.diagnostics
    message = found[0].message
    problem = Diagnostic(code=code, message=f"{prefix}: {message}" if prefix else message, at=at)
    for row in found:
        problem = problem.with_note(f"{row.code.id}: {row.message}", row.at)
    return _Refused(problem, schema=all(row.code in SCHEMA_ERRORS for row in found))


def _valid(test: Test, refused: _Refused | None) -> Diagnostic | None:
    """What is wrong with a test that wants its constraint to be refused."""
    if refused is not None and refused.schema:
        return None
    got = refused.problem.message if refused else "none"
    message = (
        f"constraint should have failed schema validation: got error {got} but want schema validation failed"
    )
    problem = Diagnostic(code=codes.SHOULD_BE_INVALID, message=message, at=_at(test.at, "invalid"))
    return replace(problem, notes=refused.problem.notes) if refused else problem


def _object(document: Document, path: str, at: ObjectPath) -> Object:
    """The object of a document, which needs to have no more than a kind."""
    value: Any = document.value
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str) or not value["kind"]:
        message = f"invalid yaml: Object 'Kind' is missing in {quote(path)}"
        raise _refuse(codes.SUITE_FILE, message, at)
    return Object(value, document)


def _at(at: ObjectPath, *path: str | int) -> ObjectPath:
    return replace(at, path=(*at.path, *path))
