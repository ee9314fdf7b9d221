"""The Rego of a template, compiled: what the cache may remember, apart from how it is made.

``compiler`` makes it. A program that comes from the cache needs neither the parser nor the compiler, and
imports neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sekisho import rego
from sekisho.diag import Diagnostic, Level, Source, Span
from sekisho.kube.gvk import GVK
from sekisho.policy import codes
from sekisho.policy.external import builtin

if TYPE_CHECKING:
    from sekisho.cel.kubernetes.rules.compiled import Compile as CompileSource
    from sekisho.policy.expressions import Compile

ENTRY: Final = "data.template.violation"
"""The rule that every template must have, after its package is renamed."""

EXTERNAL_DATA: Final = builtin.NAME
"""The built-in that asks external data providers."""

CAPABILITIES: Final = rego.Capabilities(
    denied=frozenset({"http.send", "opa.runtime"}), functions={EXTERNAL_DATA: builtin.ROW}
)
"""What templates may call: Gatekeeper's default denies http.send; external data is the way out."""


REGO: Final = "Rego"
CEL: Final = "K8sNativeValidation"

ENGINES: Final = (CEL, REGO)
"""The engines of templates, the one that wins first."""

PREFERRED: Final = "policy.sekisho.dev/engine"
"""The annotation of a template with both engines that says which of them is to judge here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which engine judges where a template has both.

    With ``engine`` no other may. ``first`` is the one that wins; without either it is what the template says
    in its annotation, and else CEL.

    ``compile`` makes programs of expressions, and ``compile_source`` of rules, through the cache or, where it
    is None, anew.
    """

    engine: str = ""
    first: str = ""
    compile: Compile | None = None
    compile_source: CompileSource | None = None


ANY_ENGINE: Final = Choice()


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The sources of a template: the main one, its libraries, and their dialect."""

    main: Source
    libs: tuple[Source, ...]
    dialect: rego.Dialect

    @property
    def sources(self) -> tuple[Source, ...]:
        """All of them, in the order in which they are compiled."""
        return (self.main, *self.libs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A warning about a stretch of one of the sources, which go by their numbers."""

    source: int
    start: int
    end: int
    message: str
    help: str


Step = str | int | None
"""A step of a path that code reads; None for one that is a variable or an expression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRead:
    """A stretch of one of the sources that reads the parameters, and the steps below them."""

    source: int
    start: int
    end: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, order=True)
class Inventoried:
    """A part of data.inventory that code reads; what it does not say in so many words is empty.

    ``scope`` is ``cluster`` or ``namespace``, ``group_version`` is ``v1`` or ``apps/v1``. The rest is the
    stretch of a source that reads it.
    """

    scope: str = ""
    group_version: str = ""
    kind: str = ""
    source: int = field(default=0, compare=False)
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def may_be(self, gvk: GVK) -> bool:
        """Whether what is read may be objects of a kind."""
        return self.group_version in ("", gvk.api_version) and self.kind in ("", gvk.kind)

    def __str__(self) -> str:
        if not self.scope:
            return "all of data.inventory"
        kind = self.kind or "objects of any kind"
        if self.group_version:
            return f"{kind} of {self.group_version}"
        return f"{kind} of any version" if self.kind else kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the code of a template reads, and what is odd about it.

    ``may_differ`` names the fields of the review that only admission fills in (operation, oldObject,
    userInfo) and that the code reads; ``inventoried`` is what it reads of data.inventory, ``parameters``
    what it reads of the parameters. ``texts`` and ``loops`` are stretches of each source (``stretches``):
    beginnings and ends, in turn.
    """

    may_differ: tuple[str, ...] = ()
    inventoried: tuple[Inventoried, ...] = ()
    warned: tuple[Warned, ...] = ()
    parameters: tuple[ParameterRead, ...] = ()
    texts: tuple[tuple[int, ...], ...] = ()
    loops: tuple[tuple[int, ...], ...] = ()

    @property
    def inventory(self) -> bool:
        """Whether it reads data.inventory at all."""
        return bool(self.inventoried)

    def row(self) -> list[Any]:
        """The facts as JSON."""
        warned = [[row.source, row.start, row.end, row.message, row.help] for row in self.warned]
        inventoried = [list(astuple(row)) for row in self.inventoried]
        parameters = [[row.source, row.start, row.end, list(row.steps)] for row in self.parameters]
        return [list(self.may_differ), inventoried, warned, parameters, self.texts, self.loops]

    @classmethod
    def of_row(cls, row: Any) -> Facts:
        """The facts in JSON that ``row`` wrote."""
        may_differ, inventoried, warned, parameters, texts, loops = row
        names = ("source", "start", "end", "message", "help")
        return cls(
            may_differ=tuple(may_differ),
            inventoried=tuple(Inventoried(*values) for values in inventoried),
            warned=tuple(Warned(**dict(zip(names, values, strict=True))) for values in warned),
            parameters=tuple(
                ParameterRead(source=source, start=start, end=end, steps=tuple(steps))
                for source, start, end, steps in parameters
            ),
            texts=tuple(map(tuple, texts)),
            loops=tuple(map(tuple, loops)),
        )

    def warnings(self, sources: Sequence[Source]) -> tuple[Diagnostic, ...]:
        """The warnings as diagnostics in these sources."""
        return tuple(
            Diagnostic(
                code=codes.INPUT_TYPO,
                level=Level.WARNING,
                message=row.message,
                at=Span(sources[row.source], row.start, row.end),
                help=row.help,
            )
            for row in self.warned
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A template's program and the facts about it."""

    program: rego.Program
    facts: Facts


Compiler = Callable[[Code], Compiled]
"""How a template's code becomes a program: through the cache, or anew. Raises DiagnosticError."""
