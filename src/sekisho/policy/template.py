"""ConstraintTemplates: from the object to compiled Rego and the schema of its constraints (policy.md 1.2).

The steps, in order; each tells everything it finds before the next one runs:

1. the object has the shape of a ConstraintTemplate (the schema of its CRD);
2. its name, kind and target are what Gatekeeper accepts;
3. one engine's code is chosen;
4. the schema of its parameters can be read;
5. its Rego passes the rules for templates (``rules``), and compiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho import rego
from sekisho.diag import Code as DiagnosticCode
from sekisho.diag import Deadline, Diagnostic, DiagnosticError, Path, Source
from sekisho.kube.object import Object
from sekisho.kube.review import Operation
from sekisho.kube.schema import Schema, keep_unknown, parse_schema, validate
from sekisho.policy import codes, shapes
from sekisho.policy.code import ENTRY, EXTERNAL_DATA, Code, Compiler, Facts
from sekisho.policy.parameters import parameter_warnings

GROUP: Final = "templates.gatekeeper.sh"
TARGET: Final = "admission.k8s.gatekeeper.sh"
REGO: Final = "Rego"
CEL: Final = "K8sNativeValidation"

VERSIONS: Final = ("v1", "v1beta1", "v1alpha1")

LEGACY_BY_DEFAULT: Final = frozenset({"v1beta1", "v1alpha1"})
"""The versions whose parameter schemas are completed (unknown fields kept) unless they say otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template that can judge. ``schema`` is that of its constraints.

    ``facts`` says what its code reads. ``operations`` are those of its target, empty for all.
    """

    object: Object
    kind: str
    program: rego.Program
    entry: rego.Entry
    schema: Schema
    facts: Facts
    operations: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()

    def judges(self, operation: Operation) -> bool:
        """Whether admission asks it about an operation; no operation is every one."""
        names = self.operations
        return not names or operation is Operation.NONE or operation.value in names or "*" in names

    @property
    def asks(self) -> bool:
        """Whether its code asks external data providers."""
        return any(name == EXTERNAL_DATA for name, _ in self.program.image.used)

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


def load_template(object: Object, *, compile: Compiler) -> Template:
    """The template in an object; raises DiagnosticError with everything that the first failing step finds."""
    for step in (_shape, _identity):
        if problems := tuple(step(object)):
            raise DiagnosticError(problems)
    code = _choose(object)
    schema = _schema(object)
    compiled = compile(code)
    return Template(
        object=object,
        kind=object.get("spec", "crd", "spec", "names", "kind"),
        program=compiled.program,
        entry=compiled.program.rule(ENTRY),
        schema=schema,
        facts=compiled.facts,
        operations=tuple(object.get("spec", "targets", 0, "operations") or ()),
        warnings=(
            *compiled.facts.warnings(code.sources),
            *parameter_warnings(compiled.facts, schema, code.sources),
        ),
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
    operations = targets[0].get("operations") or ()
    if "*" in operations and len(operations) > 1:
        message = "if '*' is present, must not specify other operations"
        yield _problem(codes.BAD_TEMPLATE, object, ("spec", "targets", 0, "operations"), message)


def _choose(object: Object) -> Code:
    """The code that runs: the target's own ``rego``, else the Rego entry of ``code``."""
    base: Path = ("spec", "targets", 0)
    target = object.get(*base)
    if target.get("rego"):
        return _code(object, target, (*base, "rego"), (*base, "libs"), rego.Dialect.V0)
    engines: list[str] = []
    for index, entry in enumerate(target.get("code") or ()):
        engine, source = entry["engine"], entry.get("source") or {}
        path: Path = (*base, "code", index, "source")
        engines.append(engine)
        if engine == REGO:
            if not isinstance(source.get("rego"), str) or not source["rego"].strip():
                raise DiagnosticError(
                    _problem(codes.NO_CODE, object, path, 'rego source missing required field: "rego"')
                )
            dialect = _dialect(object, source, path)
            return _code(object, source, (*path, "rego"), (*path, "libs"), dialect)
    if engines:
        message = f"none of its engines is supported here: {', '.join(engines)} (supported: {REGO})"
        raise DiagnosticError(_problem(codes.NO_ENGINE, object, (*base, "code"), message))
    raise DiagnosticError(_problem(codes.NO_CODE, object, base, "the target has neither rego nor code"))


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


def _schema(object: Object) -> Schema:
    """The schema of the template's constraints. The parameters' part is checked at its own place first."""
    base: Path = ("spec", "crd", "spec", "validation")
    raw = object.get(*base, "openAPIV3Schema")
    legacy = object.get(*base, "legacySchema")
    if legacy is None:
        legacy = object.gvk.version in LEGACY_BY_DEFAULT
    if legacy:
        raw = keep_unknown(raw or {})
    if raw is not None:
        parse_schema(raw, shapes.below(object, (*base, "openAPIV3Schema")))
    return shapes.constraint(raw)


def _problem(code: DiagnosticCode, object: Object, path: Path, message: str, help: str = "") -> Diagnostic:
    return Diagnostic(code=code, message=message, at=object.at(*path), help=help)
