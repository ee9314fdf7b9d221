"""Tests among Rego modules: rules called ``test_…`` are run, ``todo_test_…`` are skipped.

A test passes when its value is true, and fails when it is false, undefined or anything else. A rule with
variables in its reference, ``test_sum[note]``, has a case for each of their values; a case fails when its
body does after ``note`` was found. To know of such cases, ``prepare`` puts a call of ``internal.test_case``
into these rules, behind the first expression at which all variables of the reference are bound.

The semantics are those of OPA's test runner (v1/tester), in the order of the sources and one after another.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Final

from sekisho.diag import Diagnostic, DiagnosticError, Span
from sekisho.lang.meter import Limits
from sekisho.rego import cover
from sekisho.rego.builtins.table import Builtin
from sekisho.rego.capabilities import NONE, Capabilities
from sekisho.rego.compiler import Exists, compile
from sekisho.rego.context import EvalContext
from sekisho.rego.dialect import Dialect
from sekisho.rego.jsontext import key_text
from sekisho.rego.nodes import ArrayTerm, Call, Expr, Module, Node, Ref, Rule, RuleKind, Scalar, TermExpr, Var
from sekisho.rego.program import Program
from sekisho.rego.state import Options
from sekisho.rego.types import ANY, Array, Function
from sekisho.rego.values import UNDEFINED, Value, key

PREFIX: Final = "test_"
SKIPPED_PREFIX: Final = "todo_test_"
SECONDS: Final = 5.0
"""How long a test may take unless the caller says otherwise; OPA's figure."""

CASE: Final = "internal.test_case"


class Outcome(Enum):
    """What a test came to."""

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    SKIPPED = "SKIPPED"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of a test, or a group of cases that share the first steps of their names."""

    name: str
    passed: bool
    cases: tuple[Case, ...] = ()

    def leaves(self) -> Iterator[tuple[tuple[str, ...], Case]]:
        """The cases proper at or below this one, with their full names."""
        if not self.cases:
            yield (self.name,), self
        for inner in self.cases:
            for names, leaf in inner.leaves():
                yield (self.name, *names), leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One test: where its rule stands, the path of its package below ``data``, and its name's steps."""

    __test__ = False  # pytest collects what is called Test

    at: Span
    package: tuple[str, ...]
    steps: tuple[str, ...]
    skipped: bool = False
    by_cases: bool = False

    @property
    def name(self) -> str:
        """The name as it is shown: ``test_x``, ``group.test_x``."""
        return self.steps[0] + _steps_text(self.steps[1:])

    @property
    def package_name(self) -> str:
        """The package as it is shown: ``data.a.b``."""
        return "data" + _steps_text(self.package)

    @property
    def full_name(self) -> str:
        """What ``--run`` is matched against: a reference to the test."""
        return "data" + _steps_text((*self.package, *self.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one test came to. ``duration`` is in nanoseconds; ``output`` are the lines of ``print``."""

    test: Test
    outcome: Outcome
    duration: int = 0
    output: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    errors: tuple[Diagnostic, ...] = ()
    cases: tuple[Case, ...] = ()

    def leaves(self) -> Iterator[tuple[tuple[str, ...], Case]]:
        """The cases proper, with their full names."""
        for case in self.cases:
            yield from case.leaves()

    def count(self, outcome: Outcome) -> int:
        """How many results of this kind this one counts for: a passing or failing test counts its cases."""
        if self.cases and outcome in (Outcome.PASS, Outcome.FAIL):
            wanted = outcome is Outcome.PASS
            return sum(case.passed is wanted for _, case in self.leaves())
        return int(self.outcome is outcome)


class Suite:
    """Compiled modules with the tests that are among them."""

    def __init__(self, program: Program, tests: tuple[Test, ...], recorder: _Recorder) -> None:
        self._program = program
        self._recorder = recorder
        self.tests = tests

    @classmethod
    def of(
        cls,
        modules: Mapping[str, Module],
        *,
        dialect: Dialect = Dialect.V1,
        capabilities: Capabilities = NONE,
        seconds: float = SECONDS,
        exists: Exists | None = None,
        covered: cover.Recorder | None = None,
    ) -> Suite:
        """Compile modules for testing. DiagnosticError (REG2xx to REG4xx) if they are wrong.

        ``covered`` takes what the tests reach; ``coverage`` tells it of these modules, sorted by name.
        """
        recorder = _Recorder()
        rows = {CASE: recorder.row()} | ({cover.MARK: covered.row()} if covered else {})
        functions = MappingProxyType({**capabilities.functions, **rows})
        prepared = prepare(modules)
        program = compile(
            prepared,
            dialect=dialect,
            capabilities=replace(capabilities, functions=functions),
            limits=Limits(seconds=seconds),
            exists=exists,
        )
        return cls(program, discover(prepared), recorder)

    def run(
        self,
        data: Value = None,
        *,
        tests: Iterable[Test] | None = None,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> Iterator[Result]:
        """Run tests, all of them unless told otherwise, in order. ``clock`` gives nanoseconds."""
        for test in self.tests if tests is None else tests:
            if test.skipped:
                yield Result(test=test, outcome=Outcome.SKIPPED)
            else:
                yield self._run(test, data, clock)

    def _run(self, test: Test, data: Value, clock: Callable[[], int]) -> Result:
        printed: list[str] = []
        notes: list[str] = []
        self._recorder.cases = []
        options = Options(printed=printed.append, notes=notes.append)
        start = clock()
        errors: tuple[Diagnostic, ...] = ()
        value: Value = UNDEFINED
        try:
            value = self._value(test, data, options)
        except DiagnosticError as error:
            errors = error.diagnostics
        duration = clock() - start
        cases: tuple[Case, ...] = ()
        passed = value is True
        if test.by_cases and not errors and value is not UNDEFINED:
            cases = cases_of(value, self._recorder.cases)
            passed = all(case.passed for case in cases)
        return Result(
            test=test,
            outcome=Outcome.ERROR if errors else Outcome.PASS if passed else Outcome.FAIL,
            duration=duration,
            output=tuple(printed),
            notes=tuple(notes),
            errors=errors,
            cases=cases,
        )

    def _value(self, test: Test, data: Value, options: Options) -> Value:
        results = self._program.query(test.full_name).run(data=data, options=options)
        return results[0]["expressions"][0]["value"] if results else UNDEFINED


# --- finding tests ----------------------------------------------------------------------------------------


def discover(modules: Mapping[str, Module]) -> tuple[Test, ...]:
    """The tests among modules, by name of module, then in the order of the source."""
    return tuple(
        Test(
            at=modules[name].span(rule),
            package=modules[name].package.path,
            steps=steps,
            skipped=steps[-1].startswith(SKIPPED_PREFIX),
            by_cases=rule.head.kind is RuleKind.OBJECT,
        )
        for name in sorted(modules)
        for rule in modules[name].rules
        if (steps := _test_steps(rule))
    )


def _test_steps(rule: Rule) -> tuple[str, ...]:
    """The steps of a rule's reference down to the first that names a test; none if none does."""
    steps: list[str] = []
    for step in _written_steps(rule):
        steps.append(step)
        if step.startswith((PREFIX, SKIPPED_PREFIX)):
            return tuple(steps)
    return ()


def _written_steps(rule: Rule) -> Iterator[str]:
    """The beginning of a rule's reference that consists of names."""
    ref = rule.head.ref
    if isinstance(ref, Var):
        yield ref.name
        return
    assert isinstance(ref.head, Var)
    yield ref.head.name
    for term in ref.path:
        if not isinstance(term, Scalar) or type(term.value) is not str:
            return
        yield term.value


def _steps_text(steps: Iterable[str]) -> str:
    """Steps of a reference as Rego writes them."""
    from sekisho.lang.golang.gotext import quote

    return "".join(
        f".{step}" if step.isascii() and step.isidentifier() else f"[{quote(step)}]" for step in steps
    )


# --- preparing modules ------------------------------------------------------------------------------------


def prepare(modules: Mapping[str, Module]) -> dict[str, Module]:
    """Modules ready for testing: tests of one name are numbered apart, and tests by cases report them."""
    seen: Counter[tuple[str, ...]] = Counter()
    return {name: _prepared(modules[name], seen) for name in sorted(modules)}


def _prepared(module: Module, seen: Counter[tuple[str, ...]]) -> Module:
    rules = []
    for rule in module.rules:
        steps = _test_steps(rule)
        if steps and steps[-1].startswith(PREFIX):
            place = (*module.package.path, *steps)
            if seen[place]:
                rule = _renamed(rule, len(steps), f"{steps[-1]}#{seen[place]:02d}")  # noqa: PLW2901
            seen[place] += 1
            rule = _reporting(rule, len(steps))  # noqa: PLW2901
        rules.append(rule)
    return replace(module, rules=tuple(rules))


def _renamed(rule: Rule, length: int, name: str) -> Rule:
    """The rule with another name for the step of its reference that names the test."""
    ref = rule.head.ref
    if isinstance(ref, Var):
        renamed: Var | Ref = replace(ref, name=name)
    elif length == 1:
        assert isinstance(ref.head, Var)
        renamed = replace(ref, head=replace(ref.head, name=name))
    else:
        step = ref.path[length - 2]
        assert isinstance(step, Scalar)
        path = (*ref.path[: length - 2], replace(step, value=name), *ref.path[length - 1 :])
        renamed = replace(ref, path=path)
    return replace(rule, head=replace(rule.head, ref=renamed))


def _reporting(rule: Rule, length: int) -> Rule:
    """The rule with a call that reports the case, as early as its name is known."""
    ref = rule.head.ref
    if not isinstance(ref, Ref) or not rule.body:
        return rule
    names = ref.path[length - 1 :]
    if not names or any(_reports(expr) for expr in rule.body):
        return rule
    wanted = {var for term in names for var in _variables(term)}
    at = 0
    for name in wanted:
        first = next((number for number, expr in enumerate(rule.body) if name in _variables(expr)), -1)
        at = max(at, first + 1)
    start, end = ref.start, ref.end
    function = Ref(Var("internal", start=start, end=end), (Scalar("test_case", start=start, end=end),))
    call = Call(function, (ArrayTerm(names, start=start, end=end),), start=start, end=end)
    report = Expr(TermExpr(call, start=start, end=end), start=start, end=end)
    return replace(rule, body=(*rule.body[:at], report, *rule.body[at:]))


def _reports(expr: Expr) -> bool:
    """Whether an expression calls ``internal.test_case`` by itself."""
    statement = expr.statement
    if not isinstance(statement, TermExpr) or not isinstance(statement.term, Call):
        return False
    name = statement.term.name
    return (
        isinstance(name, Ref)
        and isinstance(name.head, Var)
        and name.head.name == "internal"
        and len(name.path) == 1
        and isinstance(name.path[0], Scalar)
        and name.path[0].value == "test_case"
    )


def _variables(root: Node) -> set[str]:
    """The names of all variables in a tree."""
    found: set[str] = set()
    stack: list[object] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Var):
            found.add(node.name)
        elif isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Node):
            stack.extend(getattr(node, name) for name in node.__dataclass_fields__)
    return found


# --- cases ------------------------------------------------------------------------------------------------


class _Recorder:
    """Takes the names of the cases that the test in hand gets to."""

    def __init__(self) -> None:
        self.cases: list[list[Value]] = []

    def row(self) -> Builtin:
        """The built-in that reports them, in place of the one that does nothing."""
        return Builtin(
            name=CASE,
            type=Function((Array(dynamic=ANY),), None),
            function=self._record,
            context=True,
            deterministic=False,
        )

    def _record(self, _context: EvalContext, names: list[Value]) -> bool:
        self.cases.append(names)
        return True


class _Group:
    """A case while results are put together."""

    __slots__ = ("failed", "inner")

    def __init__(self, *, failed: bool) -> None:
        self.failed = failed
        self.inner: dict[str, _Group] = {}


def cases_of(value: Value, begun: Iterable[list[Value]]) -> tuple[Case, ...]:
    """The cases of a test: those in its value, and those that were begun and are not in it, which failed."""
    root = _group(value)
    for names in begun:
        _begin(root, [key_text(key(name)) for name in names])
    return _cases(root)


def _group(value: Value) -> _Group:
    if type(value) is not dict:
        return _Group(failed=value is not True)
    group = _Group(failed=False)
    for name, item in value.items():
        inner = group.inner[key_text(name)] = _group(item)
        group.failed |= inner.failed
    return group


def _begin(group: _Group, names: list[str]) -> bool:
    """Note that a case was begun; whether it failed."""
    if not names:
        return group.failed
    inner = group.inner.get(names[0])
    if inner is None:
        inner = group.inner[names[0]] = _Group(failed=True)
    failed = _begin(inner, names[1:])
    inner.failed |= failed
    return failed


def _cases(group: _Group) -> tuple[Case, ...]:
    return tuple(
        Case(name=name, passed=not inner.failed, cases=_cases(inner))
        for name, inner in sorted(group.inner.items())
    )
