"""What a template's Rego may say beyond what the compiler checks (policy.md 1.2).

The main module becomes ``package template`` as in Gatekeeper; libraries keep their packages below ``lib``.
All rules are checked and everything is told at once:

1. the module must have a rule ``violation`` that is a set;
2. imports are of ``data.lib.…`` or ``future.…`` only;
3. data is referred to below ``data.lib`` and ``data.inventory`` only;
4. a library's package is ``lib.<name>…``.

What no rule forbids but hardly anybody means is a warning (``reads``): ``input.request`` never exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from sekisho import rego
from sekisho.diag import Code as DiagnosticCode
from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.policy import codes, reads
from sekisho.policy.code import Code, Facts, Inventoried, ParameterRead, Warned
from sekisho.rego.nodes import Import, Module, Node, Package, Ref, RuleKind, Scalar, Var

MAIN: Final = ("template",)
LIBRARIES: Final = "lib"
INVENTORY: Final = "inventory"
ENTRY: Final = "violation"

WRITE_IT: Final = 'write `violation contains {"msg": msg} if …` (in v0: `violation[{"msg": msg}] {…}`)'

ADMISSION_ONLY: Final = ("operation", "oldObject", "userInfo")
"""Fields of the review that an offline check cannot fill in as admission does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Modules that passed, ready to be compiled together."""

    modules: Mapping[str, Module]
    facts: Facts


def check(code: Code) -> Checked:
    """Parse and check a template's sources; raises DiagnosticError with all that is wrong in them."""
    found: list[Diagnostic] = []
    modules: list[Module] = []
    for source in code.sources:
        try:
            modules.append(rego.parse_module(source, dialect=code.dialect, annotations=False))
        except DiagnosticError as error:
            found += error.diagnostics
    if found:
        raise DiagnosticError(found)
    found += _entry_problems(modules[0])
    warned: list[Warned] = []
    parameters: list[ParameterRead] = []
    differs: set[str] = set()
    inventoried: dict[Inventoried, None] = {}
    for at, module in enumerate(modules):
        if at:
            found += _library_problems(module)
        found += [problem for row in module.imports for problem in _import_problems(module, row)]
        for node in walk(module.rules):
            if isinstance(node, Var | Ref) and _head(node) == "data":
                first = _step(node, 0)
                found += _data_problems(module, node, first)
                if first == INVENTORY:
                    inventoried.setdefault(_inventoried(at, node))
            elif (path := reads.path_of(node)) is not None:
                warned += reads.warnings(at, node, path)
                parameters += reads.parameters(at, node, path)
                if path[:1] == ("review",) and len(path) > 1 and path[1] in ADMISSION_ONLY:
                    differs.add(str(path[1]))
    if found:
        raise DiagnosticError(found)
    main_module = replace(modules[0], package=Package(MAIN, start=0, end=0))
    return Checked(
        modules={str(at): module for at, module in enumerate([main_module, *modules[1:]])},
        facts=Facts(
            may_differ=tuple(sorted(differs)),
            inventoried=tuple(sorted(inventoried)),
            warned=tuple(warned),
            parameters=tuple(parameters),
        ),
    )


def _inventoried(source: int, ref: Var | Ref) -> Inventoried:
    """What a reference names of the inventory: ``cluster[gv][kind]``, ``namespace[ns][gv][kind]``."""
    scope = _step(ref, 1)
    at = {"cluster": 2, "namespace": 3}.get(scope or "")
    if scope is None or at is None:
        return Inventoried(source=source, start=ref.start, end=ref.end)
    group_version, kind = _step(ref, at) or "", _step(ref, at + 1) or ""
    return Inventoried(scope, group_version, kind, source=source, start=ref.start, end=ref.end)


def _entry_problems(module: Module) -> Iterator[Diagnostic]:
    rules = [rule for rule in module.rules if _rule_name(rule.head.ref) == ENTRY]
    if not rules:
        yield _problem(
            codes.NO_VIOLATION,
            module,
            module.package,
            f"invalid rego: missing required rules: [{ENTRY}]",
            WRITE_IT,
        )
    for rule in rules:
        if rule.head.kind is not RuleKind.SET:
            yield _problem(
                codes.VIOLATION_SHAPE,
                module,
                rule.head,
                f"violation is a {rule.head.kind.value} rule; it must be a set of objects with msg",
                WRITE_IT,
            )


def _library_problems(module: Module) -> Iterator[Diagnostic]:
    path = module.package.path
    if len(path) < 2 or path[0] != LIBRARIES:
        yield _problem(
            codes.BAD_LIB,
            module,
            module.package,
            f"the package of a library must be {LIBRARIES}.<name>, this is {'.'.join(path)}",
        )


def _import_problems(module: Module, row: Import) -> Iterator[Diagnostic]:
    path, head = row.path, _head(row.path)
    if head == "future" or (head == "data" and _step(path, 0) == LIBRARIES):
        return
    text = module.source.text[path.start : path.end]
    if head == "input":
        yield _problem(codes.BAD_IMPORT, module, row, f'invalid import: cannot import input: "{text}"')
        return
    help = (
        "leave it out: a template's code is v1 when its source says `version: v1`" if head == "rego" else ""
    )
    yield _problem(codes.BAD_IMPORT, module, row, f'invalid import: bad import: "{text}"', help)


def _data_problems(module: Module, ref: Var | Ref, first: str | None) -> Iterator[Diagnostic]:
    if first in (LIBRARIES, INVENTORY):
        return
    text = module.source.text[ref.start : ref.end]
    yield _problem(
        codes.BAD_DATA,
        module,
        ref,
        f"invalid data references: disallowed ref {text}",
        f"a template may refer to data.{LIBRARIES} and data.{INVENTORY}; its own rules go by bare names",
    )


def _rule_name(ref: Var | Ref) -> str:
    head = ref if isinstance(ref, Var) else ref.head
    return head.name if isinstance(head, Var) else ""


def _head(ref: Var | Ref) -> str:
    return _rule_name(ref)


def _step(ref: Var | Ref, index: int) -> str | None:
    """A ground string step of a reference, None where there is none."""
    if isinstance(ref, Ref) and index < len(ref.path):
        step = ref.path[index]
        if isinstance(step, Scalar) and isinstance(step.value, str):
            return step.value
    return None


def walk(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """These nodes and all below them. The head of a reference is part of it and does not come by itself."""
    stack: list[object] = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Node):
            yield node
            if isinstance(node, Ref):
                stack.extend(node.path if isinstance(node.head, Var) else (node.head, *node.path))
            else:
                stack.extend(getattr(node, name) for name in _children(type(node)))


_CHILDREN: Final[dict[type, tuple[str, ...]]] = {}


def _children(kind: type[Node]) -> tuple[str, ...]:
    """The names of the fields that may hold nodes; looked up once a class."""
    names = _CHILDREN.get(kind)
    if names is None:
        skipped = ("start", "end", "annotations")
        names = _CHILDREN[kind] = tuple(row.name for row in fields(kind) if row.name not in skipped)
    return names


def _problem(code: DiagnosticCode, module: Module, node: Node, message: str, help: str = "") -> Diagnostic:
    return Diagnostic(code=code, message=message, at=module.span(node), help=help)
