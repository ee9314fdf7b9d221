"""What names mean in a module before any rule is looked at: its imports and the rules of its package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sekisho.diag import Code
from sekisho.rego import codes
from sekisho.rego.check.errors import Stage
from sekisho.rego.check.functions import Functions
from sekisho.rego.check.metadata import Annotations
from sekisho.rego.check.program import TreeNode
from sekisho.rego.check.text import import_text
from sekisho.rego.dialect import Dialect
from sekisho.rego.nodes import Expr, Head, Import, Module, Node, Ref, Rule, Scalar, Term, Var

ROOTS: Final = frozenset({"input", "data"})


@dataclass(slots=True)
class Global:
    """The path that a name stands for, and whether anything has used it."""

    path: Ref | Var
    used: bool = False


class ModuleNames:
    """The names of one module, with what the resolution of its rules needs to know.

    ``strict`` asks for the checks of ``opa check --strict``; ``outdated`` says that what v1 has dropped is an
    error here.
    """

    __slots__ = (
        "annotations",
        "defined",
        "errors",
        "functions",
        "globals",
        "keep_print",
        "module",
        "outdated",
        "roots",
        "strict",
        "tree",
    )

    def __init__(
        self,
        module: Module,
        tree: TreeNode,
        functions: Functions,
        annotations: Annotations,
        *,
        defined: frozenset[tuple[str, ...]],
        strict: bool,
        keep_print: bool,
    ) -> None:
        self.module = module
        self.tree = tree
        self.functions = functions
        self.errors = annotations.errors
        self.defined = defined
        self.strict = strict
        self.keep_print = keep_print
        self.outdated = strict or is_v1(module)
        self.globals: dict[str, Global] = {}
        self.roots = ROOTS
        self.annotations = annotations

    def always_defined(self, term: Term) -> bool:
        """Whether this is a reference to a rule that always has a value."""
        if not isinstance(term, Ref) or not isinstance(term.head, Var) or term.head.name != "data":
            return False
        path = tuple(step.value if isinstance(step, Scalar) else None for step in term.path)
        return path in self.defined

    def declare(self, rules: Iterable[str], imports: tuple[Import, ...]) -> None:
        """Make the rules of the package and the imports known; an import hides a rule."""
        package = tuple(Scalar(step) for step in self.module.package.path)
        for name in rules:
            self.globals[name] = Global(Ref(Var("data"), (*package, Scalar(name))))
        for one in imports:
            path = one.path
            head = path.head if isinstance(path, Ref) else path
            if isinstance(head, Var) and head.name in ROOTS:
                self.globals[import_name(one)] = Global(path)
        own = {name for name in rules if name in ROOTS}
        if own:  # v0 lets a rule be called input or data
            self.roots = ROOTS - own

    def use_root(self, name: str) -> None:
        """Note that a rule uses input or data, which may have been imported."""
        found = self.globals.get(name)
        if found is not None:
            found.used = True

    def check_imports(self) -> None:
        """Report two imports of one name."""
        if not self.outdated:
            return
        seen: dict[str, Import] = {}
        for one in self.module.imports:
            name = import_name(one)
            if name in seen:
                message = f"import must not shadow {import_text(seen[name])}"
                self.report(
                    Stage.IMPORTS, codes.IMPORT_SHADOWS, message, one, "give it another name with `as`"
                )
            else:
                seen[name] = one

    def check_unused_imports(self) -> None:
        """Report imports that no rule has used; to be called when all rules are resolved."""
        if not self.strict:
            return
        for one in self.module.imports:
            found = self.globals.get(import_name(one))
            head = one.path.head if isinstance(one.path, Ref) else one.path
            if found is not None and not found.used and isinstance(head, Var) and head.name in ROOTS:
                message = f"{import_text(one)} unused"
                self.report(Stage.RESOLVE, codes.UNUSED, message, one, "remove it")

    def check_head(self, rule: Rule) -> None:
        """Report a rule, or its argument, that is called input or data."""
        if not self.outdated:
            return
        name = head_name(rule.head)
        if name in ROOTS:
            message = f"rules must not shadow {name} (use a different rule name)"
            self.report(Stage.OVERRIDES, codes.ROOT_SHADOWED, message, rule)

    def check_override(self, left: Term, expr: Expr) -> None:
        """Report an assignment to input or data."""
        if self.outdated and isinstance(left, Var) and left.name in ROOTS:
            message = f"variables must not shadow {left.name} (use a different variable name)"
            self.report(Stage.OVERRIDES, codes.ROOT_SHADOWED, message, expr)

    def report(self, stage: Stage, code: Code, message: str, node: Node, help: str = "") -> None:
        """Note an error in this module."""
        self.errors.add(stage, code, message, (self.module, node), help=help)


def is_v1(module: Module) -> bool:
    """Whether what v1 refuses is refused in this module."""
    if module.dialect is Dialect.V1:
        return True
    return any(
        isinstance(one.path, Ref) and isinstance(one.path.head, Var) and one.path.head.name == "rego"
        for one in module.imports
    )


def import_name(one: Import) -> str:
    """The name that an import brings."""
    if one.alias is not None:
        return one.alias
    if isinstance(one.path, Var):
        return one.path.name
    last = one.path.path[-1]
    assert isinstance(last, Scalar)
    return str(last.value)


def head_name(head: Head) -> str:
    """The first name of a rule's reference."""
    first = head.ref.head if isinstance(head.ref, Ref) else head.ref
    assert isinstance(first, Var)
    return first.name


Exports = Mapping[tuple[str, ...], Iterable[str]]
"""The names of each package's rules."""
