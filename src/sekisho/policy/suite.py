"""Suites of tests for constraints: gator's file format (policy.md 1.11), decoded and checked.

``Suite{tests[]{name, template, constraint, expansion, invalid, skip, cases[]{name, object, inventory[], skip,
assertions[]{violations, message}}}}``. What gator ignores in silence, fields it does not know, is a warning.
``violations`` may be a boolean too: that is what YAML 1.1 makes of a bare yes or no. ``mutators``, a list of
files, is ours: they change the objects of the test's cases before these are judged, as admission does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from sekisho.diag import Diagnostic, DiagnosticError, Level, ObjectPath, Path
from sekisho.kube import codes as kube_codes
from sekisho.kube import fielderror
from sekisho.kube.decode import Boolean, Field, ListOf, Reading, Refused, Struct, Text
from sekisho.kube.object import Object
from sekisho.lang import re2
from sekisho.lang.golang.gotext import quote
from sekisho.lang.meter import Exhausted
from sekisho.policy import codes

T = TypeVar("T")

GROUP: Final = "test.gatekeeper.sh"
KIND: Final = "Suite"

YES: Final = "yes"
NO: Final = "no"

Count = int | str
"""How many violations are wanted: exactly that many, or ``yes`` (at least one) or ``no`` (none)."""

WHAT_COUNTS: Final = 'assertion.violation, if set, must be a nonnegative integer, "yes", or "no"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """How many of a case's violations have a message in which ``message`` (RE2) is found.

    ``violations`` is kept as written, so that a value which makes no sense fails its own case only.
    """

    at: ObjectPath
    violations: Count = YES
    message: str | None = None

    def problem(self, messages: Iterable[str]) -> Diagnostic | None:
        """What is wrong with these messages of violations, in gator's words; None if nothing is."""
        messages = tuple(messages)
        try:
            found = self._matching(messages)
        except (re2.PatternError, Exhausted) as error:
            text = f"message contains invalid regular expression: {error}"
            return Diagnostic(code=codes.BAD_CASE, message=text, at=_below(self.at, "message"))
        got = f"got messages [{' '.join(messages)}]"
        wanted = self._wanted(found)
        if wanted is None:
            return None
        if not wanted:
            text = f"invalid yaml: {WHAT_COUNTS}: {got}"
            return Diagnostic(code=codes.BAD_CASE, message=text, at=_below(self.at, "violations"))
        containing = "" if self.message is None else f" containing {quote(self.message)}"
        text = f"unexpected number of violations: got {found} violations{containing} but want {wanted}: {got}"
        return Diagnostic(code=codes.ASSERTION, message=text, at=self.at)

    def _matching(self, messages: tuple[str, ...]) -> int:
        if self.message is None or not messages:
            return len(messages)
        pattern = re2.compile(self.message)
        return sum(pattern.search(message) for message in messages)

    def _wanted(self, found: int) -> str | None:
        """What is wanted instead of this number; None if it is right, empty if that cannot be said."""
        wanted = self.violations
        if wanted == YES:
            return None if found else "at least 1"
        if wanted == NO:
            return "none" if found else None
        if isinstance(wanted, str) or wanted < 0:
            return ""
        return None if found == wanted else f"exactly {wanted}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An object, what else is in the cluster, and what is to be found. Paths are as written."""

    at: ObjectPath
    name: str = ""
    object: str = ""
    inventory: tuple[str, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    skip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A template, a constraint, and cases for them; ``invalid`` wants the schema to refuse the constraint."""

    __test__ = False
    at: ObjectPath
    name: str = ""
    template: str = ""
    constraint: str = ""
    expansion: str = ""
    mutators: tuple[str, ...] = ()
    invalid: bool = False
    skip: bool = False
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The tests of one file. ``file`` is its path, as it is shown; paths in it are relative to it."""

    file: str
    tests: tuple[Test, ...] = ()
    skip: bool = False
    warnings: tuple[Diagnostic, ...] = field(default=())


def is_suite(value: Any) -> bool:
    """Whether a document is a suite, of any version; files without one are none of gator's business."""
    if not isinstance(value, Mapping):
        return False
    version = value.get("apiVersion")
    group = version.partition("/")[0] if isinstance(version, str) and "/" in version else ""
    return group == GROUP and value.get("kind") == KIND


def load_suite(object: Object, file: str) -> Suite:
    """The suite in an object; raises DiagnosticError (KUB041) at fields of the wrong type."""
    warnings: list[Diagnostic] = []
    raw = _known(object.raw, _SUITE, (), object, warnings)
    reading = Reading(object)
    try:
        suite: Suite = _SUITE.struct.build(raw, (), reading, {"file": file})
    except Refused:
        raise DiagnosticError(reading.problems) from None
    return replace(suite, warnings=tuple(warnings))


# --- the shape --------------------------------------------------------------------------------------------


class _Count:
    """``violations``: a number, a word, or what YAML makes of the words yes and no."""

    def read(self, value: Any, path: Path, reading: Reading) -> Count:
        if isinstance(value, bool):
            return YES if value else NO
        if isinstance(value, int | str):
            return value
        if isinstance(value, float) and math.isfinite(value) and value.is_integer():
            return int(value)
        message = fielderror.wrong_type(path, value, "integer or string")
        raise reading.refuse(kube_codes.WRONG_TYPE, path, message)

    def schema(self) -> dict[str, Any]:
        return {"x-kubernetes-int-or-string": True}


class _Placed(Struct[T]):
    """A struct whose values know where they stand: ``at``."""

    def read(self, value: Any, path: Path, reading: Reading) -> T:
        return self.build({} if value is None else value, path, reading, {"at": reading.object.at(*path)})


@dataclass(frozen=True, slots=True)
class _Shape:
    """A struct with the names of its fields, and the shapes of the lists among them."""

    struct: Struct[Any]
    names: frozenset[str]
    lists: Mapping[str, _Shape]


def _shape(
    make: Callable[..., Struct[Any]], cls: type, fields: Mapping[str, Any], *more: str, **lists: _Shape
) -> _Shape:
    rows = [Field(name, name, type, default) for name, (type, default) in fields.items()]
    rows += [Field(name, name, ListOf(shape.struct), ()) for name, shape in lists.items()]
    return _Shape(make(cls, *rows, ignored=more), frozenset((*fields, *lists, *more)), lists)


_TEXT: Final = (Text(empty=True), "")
_FLAG: Final = (Boolean(), False)

_ASSERTION: Final = _shape(
    _Placed, Assertion, {"violations": (_Count(), YES), "message": (Text(empty=True), None)}
)
_CASE: Final = _shape(
    _Placed,
    Case,
    {"name": _TEXT, "object": _TEXT, "inventory": (ListOf(Text(empty=True)), ()), "skip": _FLAG},
    assertions=_ASSERTION,
)
_TEST: Final = _shape(
    _Placed,
    Test,
    {"name": _TEXT, "template": _TEXT, "constraint": _TEXT, "expansion": _TEXT}
    | {"mutators": (ListOf(Text(empty=True)), ()), "invalid": _FLAG, "skip": _FLAG},
    cases=_CASE,
)
_SUITE: Final = _shape(Struct, Suite, {"skip": _FLAG}, "apiVersion", "kind", "metadata", tests=_TEST)


def _known(raw: Any, shape: _Shape, path: Path, object: Object, warnings: list[Diagnostic]) -> Any:
    """The value without the fields that nobody knows, each of which is a warning."""
    if not isinstance(raw, Mapping):
        return raw
    kept: dict[str, Any] = {}
    for name, value in raw.items():
        here = (*path, name)
        if name not in shape.names:
            warnings.append(_unknown(object.at(*here, key=True), name, shape))
            continue
        inner = shape.lists.get(name)
        if inner is None or not isinstance(value, list):
            kept[name] = value
            continue
        kept[name] = [_known(item, inner, (*here, at), object, warnings) for at, item in enumerate(value)]
    return kept


def _unknown(at: ObjectPath, name: str, shape: _Shape) -> Diagnostic:
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(shape.names), n=1)
    known = f"known fields: {', '.join(sorted(shape.names))}"
    return Diagnostic(
        code=codes.SUITE_FIELD,
        level=Level.WARNING,
        message=f'a suite has no field "{name}" here, so it does nothing',
        at=at,
        help=f'did you mean "{close[0]}"?' if close else known,
    )


def _below(at: ObjectPath, *path: str) -> ObjectPath:
    return replace(at, path=(*at.path, *path))


# --- which of them to run ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which tests and cases to run, by names in which RE2 patterns are found.

    With one pattern (``either``) a case runs if its own name matches or its test's; with ``test//case`` both
    have to, and an absent one matches all.
    """

    test: re2.Pattern | None = None
    case: re2.Pattern | None = None
    either: re2.Pattern | None = None

    @classmethod
    def parse(cls, text: str) -> Filter:
        """The filter that ``--run`` means; raises DiagnosticError (POL083)."""
        parts = text.split("//")
        if len(parts) > 2:
            raise _bad_filter('a filter may include at most one "//"')
        patterns = [_pattern(part) if part else None for part in parts]
        return cls(either=patterns[0]) if len(parts) == 1 else cls(test=patterns[0], case=patterns[1])

    def wants_test(self, test: Test) -> bool:
        """Whether a test is to be run at all."""
        if self.either is not None:
            return any(_has(self.either, name) for name in (test.name, *(case.name for case in test.cases)))
        return _has(self.test, test.name)

    def wants_case(self, test: Test, case: Case) -> bool:
        """Whether a case of a test that is run is to be run."""
        if self.either is not None:
            return _has(self.either, case.name) or _has(self.either, test.name)
        return _has(self.case, case.name) and _has(self.test, test.name)


EVERYTHING: Final = Filter()


def _has(pattern: re2.Pattern | None, name: str) -> bool:
    return pattern is None or pattern.search(name)


def _pattern(text: str) -> re2.Pattern:
    try:
        return re2.compile(text)
    except (re2.PatternError, Exhausted) as error:
        raise _bad_filter(str(error)) from None


def _bad_filter(why: str) -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=codes.BAD_FILTER, message=f"invalid test filter: {why}"))
