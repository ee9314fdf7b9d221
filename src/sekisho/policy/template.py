"""ConstraintTemplates: from the object to compiled Rego and the schema of its constraints (policy.md 1.2).

The steps, in order; each tells everything it finds before the next one runs:

1. the object has the shape of a ConstraintTemplate (the schema of its CRD);
2. its name, kind and target are what Gatekeeper accepts;
3. one engine's code is chosen: CEL wins over Rego, as in Gatekeeper, unless one is asked for or preferred;
4. the schema of its parameters can be read;
5. its Rego passes the rules for templates (``rules``), and compiles; or its expressions compile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sekisho import rego
from sekisho.diag import Code as DiagnosticCode
from sekisho.diag import Deadline, Diagnostic, DiagnosticError, Path, Source
from sekisho.kube.object import Object
from sekisho.kube.review import Operation
from sekisho.kube.schema import Schema, has_rules, keep_unknown, parse_schema, validate
from sekisho.policy import codes, shapes
from sekisho.policy.code import (
    ANY_ENGINE,
    CEL,
    ENGINES,
    ENTRY,
    EXTERNAL_DATA,
    PREFERRED,
    REGO,
    Choice,
    Code,
    Compiler,
    Facts,
)
from sekisho.policy.parameters import parameter_warnings

if TYPE_CHECKING:
    from sekisho.cel.kubernetes.rules import Rules
    from sekisho.policy.native import Native

GROUP: Final = "templates.gatekeeper.sh"
TARGET: Final = "admission.k8s.gatekeeper.sh"

VERSIONS: Final = ("v1", "v1beta1", "v1alpha1")

LEGACY_BY_DEFAULT: Final = frozenset({"v1beta1", "v1alpha1"})
"""The versions whose parameter schemas are completed (unknown fields kept) unless they say otherwise."""


class Rego(NamedTuple):
    """A template's compiled Rego, and its rule."""

    program: rego.Program
    entry: rego.Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template that can judge, by its Rego or by its CEL. ``schema`` is that of its constraints.

    ``facts`` says what its code reads. ``rules`` are those that parameters have to keep. ``operations`` are
    those of its target, empty for all.
    """

    object: Object
    kind: str
    schema: Schema
    facts: Facts
    rules: Rules | None = None
    code: Rego | None = None
    native: Native | None = None
    operations: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()

    def judges(self, operation: Operation) -> bool:
        """Whether admission asks it about an operation; no operation is every one."""
        names = self.operations
        return not names or operation is Operation.NONE or operation.value in names or "*" in names

    @property
    def asks(self) -> bool:
        """Whether its code asks external data providers."""
        return self.native is None and any(name == EXTERNAL_DATA for name, _ in self.program.image.used)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of its code."""
        if self.native is not None:
            return self.native.sources
        return self.program.sources

    @property
    def program(self) -> rego.Program:
        """The program of a template that judges by its Rego."""
        assert self.code is not None, "the caller looks for CEL first"
        return self.code.program

    @property
    def entry(self) -> rego.Entry:
        """The rule of such a program."""
        assert self.code is not None, "the caller looks for CEL first"
        return self.code.entry

    def explain(
        self, input: Any, data: Any, options: rego.Options, deadline: Deadline | None = None
    ) -> list[tuple[Any, tuple[rego.Read, ...]]]:
        """Its violations of an input, each with what of the input it stands on."""
        return self.program.explain_reads(ENTRY, input, data, deadline=deadline, options=options)

    def explain_held(
        self, input: Any, data: Any, options: rego.Options, deadline: Deadline | None = None
    ) -> list[tuple[Any, tuple[rego.Held, ...]]]:
        """Its violations of an input, each with the expressions that held on the way to it."""
        return self.program.explain_held(ENTRY, input, data, deadline=deadline, options=options)


def is_template(object: Object) -> bool:
    """Whether an object is a ConstraintTemplate, of any of its versions."""
    return object.gvk.group == GROUP and object.gvk.kind == "ConstraintTemplate"


def load_template(object: Object, *, compile: Compiler, choice: Choice = ANY_ENGINE) -> Template:
    """The template in an object; raises DiagnosticError with everything that the first failing step finds."""
    for step in (_shape, _identity):
        if problems := tuple(step(object)):
            raise DiagnosticError(problems)
    engine, path = _choose(object, choice)
    if engine == CEL:
        return _native(object, path, choice)
    code = _rego(object, path)
    schema = _schema(object)
    rules = _rules(object, choice)
    compiled = compile(code)
    return Template(
        object=object,
        kind=object.get("spec", "crd", "spec", "names", "kind"),
        code=Rego(compiled.program, compiled.program.rule(ENTRY)),
        schema=schema,
        rules=rules,
        facts=compiled.facts,
        operations=tuple(object.get("spec", "targets", 0, "operations") or ()),
        warnings=(
            *compiled.facts.warnings(code.sources),
            *parameter_warnings(compiled.facts, schema, code.sources),
        ),
    )


def _native(object: Object, path: Path, choice: Choice) -> Template:
    """A template with CEL; what reads it is imported only where there is some."""
    from sekisho.policy.native import Native, read_source

    source = read_source(object, path)
    schema = _schema(object)
    rules = _rules(object, choice)
    native = Native.compile(source, choice.compile)
    return Template(
        object=object,
        kind=object.get("spec", "crd", "spec", "names", "kind"),
        native=native,
        schema=schema,
        rules=rules,
        facts=Facts(may_differ=native.may_differ),
        operations=tuple(object.get("spec", "targets", 0, "operations") or ()),
    )


def _shape(object: Object) -> tuple[Diagnostic, ...]:
    return validate(object.raw, shapes.template(), shapes.locate(object))


def _identity(object: Object) -> Iterator[Diagnostic]:
    if object.gvk.version not in VERSIONS:
        message = f'there is no version "{object.gvk.version}" of ConstraintTemplate'
        yield _problem(
            codes.BAD_TEMPLATE, object, ("apiVersion",), message, f"versions: {', '.join(VERSIONS)}"
        )
    kind = object.get("spec", "crd", "spec", "names", "kind")
    if not kind:
        message = f'ConstraintTemplate "{object.name}" does not specify CRD Kind'
        yield _problem(codes.BAD_TEMPLATE, object, ("spec", "crd", "spec", "names", "kind"), message)
    elif object.name != kind.lower():
        yield _problem(
            codes.TEMPLATE_NAME,
            object,
            ("metadata", "name"),
            f"the ConstraintTemplate's name \"{object.name}\" is not equal to the lowercase of CRD's Kind: "
            f'"{kind.lower()}"',
            f"name it {kind.lower()}",
        )
    targets = object.get("spec", "targets")
    if not targets:
        message = "no targets specified: ConstraintTemplate must specify one target"
        yield _problem(codes.TARGETS, object, ("spec", "targets"), message, f"add target: {TARGET}")
        return
    if len(targets) > 1:
        message = f"must declare exactly one target, this declares {len(targets)}"
        yield _problem(codes.TARGETS, object, ("spec", "targets", 1), message)
    target = targets[0].get("target", "")
    if target != TARGET:
        message = f'target "{target}" not recognized, known targets [{TARGET}]'
        yield _problem(codes.UNKNOWN_TARGET, object, ("spec", "targets", 0, "target"), message)
    preferred = object.annotations.get(PREFERRED, CEL)
    if preferred not in ENGINES:
        message = f'"{preferred}" is no engine of templates'
        path: Path = ("metadata", "annotations", PREFERRED)
        yield _problem(codes.BAD_TEMPLATE, object, path, message, f"engines: {', '.join(ENGINES)}")
    operations = targets[0].get("operations") or ()
    if "*" in operations and len(operations) > 1:
        message = "if '*' is present, must not specify other operations"
        yield _problem(codes.BAD_TEMPLATE, object, ("spec", "targets", 0, "operations"), message)


def _choose(object: Object, choice: Choice) -> tuple[str, Path]:
    """The engine that judges, and where its code stands.

    The target's own ``rego`` counts as an entry of ``code`` that wins over another one of Rego.
    """
    base: Path = ("spec", "targets", 0)
    target = object.get(*base)
    found: dict[str, Path] = {}
    for index, entry in enumerate(target.get("code") or ()):
        found.setdefault(entry["engine"], (*base, "code", index, "source"))
    if target.get("rego"):
        found[REGO] = base
    wanted = choice.engine
    engines = (wanted,) if wanted else ENGINES
    first = choice.first or object.annotations.get(PREFERRED, CEL)
    for engine in sorted(engines, key=lambda engine: engine != first):
        if engine in found:
            return engine, found[engine]
    if found:
        why = f"none of its engines is {'asked for' if wanted else 'supported here'}"
        message = (
            f"{why}: {', '.join(found)} ({'asked for' if wanted else 'supported'}: {', '.join(engines)})"
        )
        raise DiagnosticError(_problem(codes.NO_ENGINE, object, (*base, "code"), message))
    raise DiagnosticError(_problem(codes.NO_CODE, object, base, "the target has neither rego nor code"))


def _rego(object: Object, path: Path) -> Code:
    """The Rego at a path: the target itself, or the source of an entry of ``code``."""
    raw = object.get(*path) or {}
    if path[-1] != "source":
        return _code(object, raw, (*path, "rego"), (*path, "libs"), rego.Dialect.V0)
    if not isinstance(raw.get("rego"), str) or not raw["rego"].strip():
        raise DiagnosticError(
            _problem(codes.NO_CODE, object, path, 'rego source missing required field: "rego"')
        )
    return _code(object, raw, (*path, "rego"), (*path, "libs"), _dialect(object, raw, path))


def _dialect(object: Object, source: Mapping[str, Any], path: Path) -> rego.Dialect:
    version = source.get("version") or "v0"
    try:
        return rego.Dialect(version)
    except ValueError:
        message = f'the Rego version "{version}" is neither v0 nor v1'
        raise DiagnosticError(_problem(codes.BAD_TEMPLATE, object, (*path, "version"), message)) from None


def _code(object: Object, raw: Mapping[str, Any], main: Path, libs: Path, dialect: rego.Dialect) -> Code:
    rows = raw.get("libs") or []
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        raise DiagnosticError(_problem(codes.BAD_TEMPLATE, object, libs, "libs must be a list of strings"))
    sources = tuple(_source(object, (*libs, index)) for index in range(len(rows)))
    return Code(main=_source(object, main), libs=sources, dialect=dialect)


def _source(object: Object, path: Path) -> Source:
    """The string at a path as a source, whose positions are those of the file if there is one."""
    embedded = object.origin.embedded(path) if object.origin else None
    return embedded or shapes.detached(object, path)


VALIDATION: Final[Path] = ("spec", "crd", "spec", "validation")
PARAMETERS: Final[Path] = (*VALIDATION, "openAPIV3Schema")
"""Where the schema of parameters stands."""


def _schema(object: Object) -> Schema:
    """The schema of the template's constraints. The parameters' part is checked at its own place first."""
    raw = _parameters(object)
    if raw is None:
        return shapes.constraint(None)
    return shapes.constraint(parse_schema(raw, shapes.below(object, PARAMETERS)))


def _parameters(object: Object) -> Any:
    """The raw schema of parameters, completed where it is an old one; None if there is none."""
    raw = object.get(*PARAMETERS)
    legacy = object.get(*VALIDATION, "legacySchema")
    if legacy is None:
        legacy = object.gvk.version in LEGACY_BY_DEFAULT
    return keep_unknown(raw or {}) if legacy else raw


def _rules(object: Object, choice: Choice) -> Rules | None:
    """The validation rules of the parameters; raises DiagnosticError (KUB200, CEL…) with what is wrong."""
    schema = parse_schema(raw) if (raw := _parameters(object)) is not None else None
    if schema is None or not has_rules(schema):
        return None
    from sekisho.cel.kubernetes.rules import compile_rules, place_in

    compile = choice.compile_source
    rules = compile_rules(schema, resource=False, place=place_in(object, PARAMETERS), compile=compile)
    if rules.problems:
        raise DiagnosticError(rules.problems)
    return rules


def _problem(code: DiagnosticCode, object: Object, path: Path, message: str, help: str = "") -> Diagnostic:
    return Diagnostic(code=code, message=message, at=object.at(*path), help=help)
