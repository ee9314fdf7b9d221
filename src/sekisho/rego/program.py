"""Programs and queries: what ``compile`` gives, and how it is evaluated.

Nothing here needs the parser or the compiler until a query is prepared or a result explained, so a program
from the cache starts fast; ``compiler`` has those, and hands them over as the program's ``Origin``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict

from sekisho import __version__
from sekisho.diag import DiagnosticError, Source
from sekisho.lang.meter import Exhausted, Limits, Meter
from sekisho.lang.programs import Programs
from sekisho.rego import builtins, codes
from sekisho.rego.capabilities import NONE, Capabilities
from sekisho.rego.held import Held, held_of
from sekisho.rego.image import FORMAT, Image, Surroundings, load
from sekisho.rego.state import DEFAULTS, EvalState, Loaded, Options, error
from sekisho.rego.trail import TRACED_GLOBALS, Entries, Read, Trail, input_paths, reads_of, trail_rule
from sekisho.rego.values import GUARD, UNDEFINED, Set, Value, key

if TYPE_CHECKING:
    from sekisho.diag import Deadline
    from sekisho.rego.nodes import Module

QUERY: Final = "query"
"""The name of a query's source."""


class Location(TypedDict):
    """Where an expression of a query stands: row and column from one."""

    row: int
    col: int


class Expression(TypedDict):
    """The value of one expression of a query."""

    value: Value
    text: str
    location: Location


class Result(TypedDict, total=False):
    """One solution of a query: OPA's result object, with Rego values."""

    expressions: list[Expression]
    bindings: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule, ready to be evaluated many times: call it for the rule's value or UNDEFINED."""

    _loaded: Loaded
    _rule: Callable[[EvalState], Value]

    def __call__(
        self,
        input: Value,
        data: Value = None,
        *,
        deadline: Deadline | None = None,
        options: Options = DEFAULTS,
    ) -> Value:
        """Evaluate. DiagnosticError (REG5xx) if that fails."""
        loaded = self._loaded
        meter = Meter(loaded.limits, deadline)
        state = EvalState(loaded, input, {} if data is None else data, meter, options)
        GUARD.meter = meter
        try:
            return _ready(self._rule(state))
        except Exhausted as exhausted:
            raise _stopped(exhausted) from None
        except RecursionError:
            raise _too_deep() from None
        finally:
            GUARD.meter = None


def _ready(value: Value) -> Value:
    """The value; a set is sorted while that is bounded, since whoever goes through it wants this."""
    if type(value) is Set:
        value.sorted()
    return value


class Query:
    """A prepared query of one program."""

    __slots__ = ("_function", "_loaded", "_names", "_texts")

    def __init__(
        self,
        loaded: Loaded,
        function: Callable[[EvalState, list[tuple[Value, ...]]], None],
        texts: tuple[tuple[str, int, int], ...],
        names: tuple[str, ...],
    ) -> None:
        self._loaded = loaded
        self._function = function
        self._texts = texts
        self._names = names

    def eval(
        self,
        input: Value = UNDEFINED,
        data: Value = None,
        *,
        now: int | None = None,
        deadline: Deadline | None = None,
        strict_errors: bool = False,
        printed: Callable[[str], None] | None = None,
        notes: Callable[[str], None] | None = None,
    ) -> list[Result]:
        """The result set. ``now`` is in nanoseconds since 1970; the clock's if absent.

        DiagnosticError (REG5xx) if evaluation fails. ``printed`` and ``notes`` take the lines of ``print``
        and ``trace``.
        """
        options = Options(now_ns=now, strict=strict_errors, printed=printed, notes=notes)
        return self.run(input, data, deadline=deadline, options=options)

    def run(
        self,
        input: Value = UNDEFINED,
        data: Value = None,
        *,
        deadline: Deadline | None = None,
        options: Options = DEFAULTS,
    ) -> list[Result]:
        """The same with all that may be said of an evaluation."""
        state = _state(self._loaded, input, data, deadline, options)
        rows: list[tuple[Value, ...]] = []
        _run(state, lambda: self._function(state, rows))
        return [self._result(row) for row in rows]

    def _result(self, row: tuple[Value, ...]) -> Result:
        count = len(self._texts)
        expressions: list[Expression] = [
            {"value": value, "text": text, "location": {"row": line, "col": column}}
            for value, (text, line, column) in zip(row[:count], self._texts, strict=True)
        ]
        result: Result = {"expressions": expressions}
        if self._names:
            result["bindings"] = dict(zip(self._names, row[count:], strict=True))
        return result


class Origin(Protocol):
    """What a program was made from, for what needs the compiler."""

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules, as parsed."""

    def prepare(self, program: Program, text: str, package: str, imports: Sequence[str]) -> Query:
        """Compile a query of the program."""

    def traced(self, program: Program) -> Image:
        """The program's code in the variant that notes what it reads."""

    def explained(self, program: Program) -> Image:
        """The variant that also notes which expressions held."""


class Program:
    """Compiled modules. Immutable; evaluations may run in several threads at once.

    ``image`` is the code as data, ``loaded`` and ``scope`` the code as it runs. ``origin`` gives what it was
    made from when a query or an explanation asks for that; ``keep`` gives the image of a variant, by its
    name, from where such are kept, or has it made and keeps it.
    """

    def __init__(
        self,
        sources: tuple[Source, ...],
        image: Image,
        loaded: tuple[Loaded, dict[str, Any]],
        origin: Callable[[], Origin],
        keep: Callable[[str, Callable[[], Image]], Image] = lambda _, make: make(),
    ) -> None:
        self.sources = sources
        self.image = image
        self.loaded, self.scope = loaded
        self._origin = origin
        self._keep = keep
        self._queries: dict[tuple[str, str, tuple[str, ...]], Query] = {}

    def keeping(self, keep: Callable[[str, Callable[[], Image]], Image]) -> Program:
        """The same program, with its variants kept."""
        return Program(self.sources, self.image, (self.loaded, self.scope), self._origin, keep)

    def rule(self, path: str | Sequence[str]) -> Entry:
        """The entry of a rule: ``data.template.violation``, or the steps of such a path below ``data``.

        DiagnosticError (REG530) if there is none.
        """
        return Entry(self.loaded, self.loaded.rules[_group(self.loaded, path)])

    def query(self, text: str, *, package: str = "", imports: Sequence[str] = ()) -> Query:
        """Prepare a query. DiagnosticError (REG1xx to REG4xx) if it cannot be compiled.

        Names in it are those of ``package`` (``a.b``) and of ``imports`` (``data.a.b as c``).
        """
        place = (text, package, tuple(imports))
        query = self._queries.get(place)
        if query is None:
            query = self._queries[place] = self.origin.prepare(self, text, package, imports)
        return query

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules that it was compiled from, as parsed."""
        return self.origin.modules

    @cached_property
    def origin(self) -> Origin:
        """What the program was compiled from; a program from the cache is compiled anew for it."""
        return self._origin()

    def explain_reads(
        self,
        path: str,
        input: Value,
        data: Value = None,
        *,
        deadline: Deadline | None = None,
        options: Options = DEFAULTS,
    ) -> list[tuple[Value, tuple[Read, ...]]]:
        """Evaluate a rule, and say what of the input its value stands on.

        For each element of a partial set, the reads of its first derivation, in their order; for any other
        rule, its value and the reads of it, or nothing where it is undefined.
        """
        loaded = self._traced
        state = _state(loaded, input, data, deadline, options)
        trail, found = _derivations(loaded, state, path)
        paths = input_paths(state.input) if found else {}
        return [(value, reads_of(trail, entries, paths, loaded.span)) for value, entries in found]

    def explain_held(
        self,
        path: str,
        input: Value,
        data: Value = None,
        *,
        deadline: Deadline | None = None,
        options: Options = DEFAULTS,
    ) -> list[tuple[Value, tuple[Held, ...]]]:
        """Evaluate a rule, and say which expressions of its bodies held on the way to its value.

        For each element of a partial set, those of its first derivation, in the order in which they held,
        with those of the rules and functions that it stands on; not those inside negations, comprehensions
        and ``every``. For any other rule, its value and those of it, or nothing where it is undefined.
        """
        loaded = self._explained
        state = _state(loaded, input, data, deadline, options)
        _, found = _derivations(loaded, state, path)
        out: list[tuple[Value, tuple[Held, ...]]] = []

        def tell() -> Value:
            out.extend((value, held_of(entries, loaded.span)) for value, entries in found)
            return None

        _run(state, tell)
        return out

    @cached_property
    def _traced(self) -> Loaded:
        """The code that notes what it reads, made when it is first asked for."""
        return self._variant(self._keep("traced", lambda: self.origin.traced(self)))

    @cached_property
    def _explained(self) -> Loaded:
        """The code that notes what held, made when it is first asked for."""
        return self._variant(self._keep("explained", lambda: self.origin.explained(self)))

    def _variant(self, image: Image) -> Loaded:
        own = self.loaded
        rows = builtins.find([name for name, _ in image.used], own.capabilities)
        surroundings = Surroundings(builtins=rows, capabilities=own.capabilities, limits=own.limits)
        return load(image, self.sources, surroundings, TRACED_GLOBALS)[0]


def _derivations(loaded: Loaded, state: EvalState, path: str) -> tuple[Trail, list[tuple[Value, Entries]]]:
    """Evaluate a rule: what was noted for each element of a partial set, or for the value of another rule."""
    rule = _group(loaded, path)
    state.trail = trail = Trail()
    value = _run(state, lambda: trail_rule(state, rule, loaded.rules[rule], None))
    if value is UNDEFINED:
        return trail, []
    notes = trail.notes.get(id(value))
    if type(value) is not Set or notes is None:
        return trail, [(value, trail.entries)]
    return trail, [(element, notes.elements[key(element)]) for element in value]


def _group(loaded: Loaded, path: str | Sequence[str]) -> int:
    """The number of the rule at a path."""
    steps = tuple(path.split(".")[1:]) if isinstance(path, str) else tuple(path)
    node = loaded.tree.find(steps)
    if node is None or node.group < 0 or node.group in loaded.functions:
        name = path if isinstance(path, str) else ".".join(("data", *steps))
        raise error(codes.NO_SUCH_RULE, f"there is no rule {name}", None)
    return node.group


def _state(
    loaded: Loaded, input: Value, data: Value, deadline: Deadline | None, options: Options
) -> EvalState:
    meter = Meter(loaded.limits, deadline)
    return EvalState(loaded, input, {} if data is None else data, meter, options)


def _run(state: EvalState, work: Callable[[], Value]) -> Value:
    """What an evaluation gives; its limits end it with a diagnostic."""
    GUARD.meter = state.meter
    try:
        return work()
    except Exhausted as exhausted:
        raise _stopped(exhausted) from None
    except RecursionError:
        raise _too_deep() from None
    finally:
        GUARD.meter = None


def _stopped(exhausted: Exhausted) -> DiagnosticError:
    code = codes.EVAL_LIMIT if exhausted.limit else codes.EVAL_TIME
    return error(code, str(exhausted), None)


def _too_deep() -> DiagnosticError:
    limit = sys.getrecursionlimit()
    return error(codes.EVAL_DEPTH, f"evaluation is nested more than {limit} calls deep", None)


def program_cache(root: str | None) -> Programs:
    """The cache of Rego programs in a cache folder (see ``sekisho.cache``); None keeps nothing."""
    return Programs(root, kind="rego", form=FORMAT)


def cached(
    build: Callable[[], Program],
    *,
    cache: Programs,
    sources: Sequence[Source],
    salt: Sequence[str] = (),
    capabilities: Capabilities = NONE,
    limits: Limits | None = None,
) -> Program:
    """What ``build`` compiles from these sources, in their order; from the cache if that was done before.

    ``salt`` says all else that the result depends on: the dialect, how sources are changed before they are
    compiled. Capabilities and limits are those that ``build`` gives to ``compile``. A program from the cache
    builds itself when it is asked for a query, and for a variant that is not kept.
    """
    parts = [
        __version__,
        ",".join(sorted(builtins.names(capabilities))),
        ",".join(sorted(capabilities.denied)),
        *salt,
        "",
    ]
    parts += [part for source in sources for part in (source.name, source.text)]
    texts = [part.encode("utf-8", "surrogatepass") for part in parts]

    def keep(variant: str, make: Callable[[], Image]) -> Image:
        key = cache.key(*texts, variant.encode()) if variant else cache.key(*texts)
        image = Image.of_row(cache.get(key))
        if image is None:
            image = make()
            cache.put(key, image.row())
        return image

    made: list[Program] = []

    def make() -> Image:
        made.append(build())
        return made[0].image

    image = keep("", make)
    if made:
        return made[0].keeping(keep)
    rows = builtins.find([name for name, _ in image.used], capabilities)
    surroundings = Surroundings(builtins=rows, capabilities=capabilities, limits=limits or Limits())
    loaded = load(image, tuple(sources), surroundings)
    return Program(tuple(sources), image, loaded, lambda: build().origin, keep)


__all__ = ["QUERY", "Entry", "Origin", "Program", "Query", "cached", "program_cache"]
