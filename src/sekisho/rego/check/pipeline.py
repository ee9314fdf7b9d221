"""The order of the checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sekisho.rego.builtins.table import Builtin
from sekisho.rego.capabilities import Capabilities
from sekisho.rego.check.bindings import Arity
from sekisho.rego.check.errors import ERRORS, Errors
from sekisho.rego.check.functions import Functions
from sekisho.rego.check.globals import ModuleNames, head_name
from sekisho.rego.check.metadata import Annotations
from sekisho.rego.check.program import Checked, CheckedQuery, Rule, TreeNode
from sekisho.rego.check.queries import resolve_query
from sekisho.rego.check.recursion import Dependencies, Drafts
from sekisho.rego.check.rules import RuleResolver
from sekisho.rego.check.safety import Orderer
from sekisho.rego.check.tree import Exists, RuleTree
from sekisho.rego.check.typecheck.checker import TypeChecker
from sekisho.rego.nodes import Body, Call, Expr, Module, Scalar, Var


class Check:
    """One check: the functions it knows and how strict it is."""

    __slots__ = ("_builtins", "_capabilities", "_errors", "_keep_print", "_strict")

    def __init__(
        self,
        builtins: Mapping[str, Builtin],
        capabilities: Capabilities,
        *,
        strict: bool,
        keep_print: bool,
        max_errors: int = ERRORS.value,
    ) -> None:
        self._builtins = builtins
        self._capabilities = capabilities
        self._strict = strict
        self._keep_print = keep_print
        self._errors = Errors(max_errors)

    def modules(self, modules: Sequence[Module], exists: Exists | None) -> Checked:
        """Check modules together."""
        errors = self._errors
        tree = RuleTree(modules)
        functions = self._functions(tree.root)
        annotations = Annotations(modules, errors)
        drafts: Drafts = {}
        rules: dict[tuple[str, ...], list[Rule]] = {}
        exports = _exports(modules)
        defined = tree.defined()
        tree.check(modules, errors, exists)
        arity = arity_of(tree.root, self._builtins)
        for module in modules:
            names = ModuleNames(
                module,
                tree.root,
                functions,
                annotations,
                defined=defined,
                strict=self._strict,
                keep_print=self._keep_print,
            )
            names.declare(exports[module.package.path], module.imports)
            names.check_imports()
            for one in module.rules:
                resolver = RuleResolver(names, one)
                draft = resolver.draft()
                drafts.setdefault(draft.path, []).append(draft)
                ordered = Orderer(module, errors, arity, resolver.fresh).rule(draft)
                rules.setdefault(draft.path, []).append(ordered)
            names.check_unused_imports()
        _store(tree.root, rules)
        dependencies = Dependencies(tree.root, drafts, errors)
        order = dependencies.order()
        if not errors.before_types():
            TypeChecker(tree.root, self._builtins, errors).rules(order)
        errors.stop()
        packages = frozenset(module.package.path for module in modules)
        return Checked(modules=tuple(modules), tree=tree.root, order=order, packages=packages)

    def query(self, checked: Checked, body: Body, module: Module) -> CheckedQuery:
        """Check a query against checked modules."""
        errors = self._errors
        functions = self._functions(checked.tree)
        names = ModuleNames(
            module,
            checked.tree,
            functions,
            Annotations((), errors),
            defined=frozenset(),
            strict=self._strict,
            keep_print=self._keep_print,
        )
        names.outdated = self._strict
        node = checked.tree.find(module.package.path) if module.package.path else None
        exported = () if node is None else _names_below(node)
        names.declare(exported, module.imports)
        arity = arity_of(checked.tree, self._builtins)
        captured = resolve_query(names, body, arity)
        orderer = Orderer(module, errors, arity, captured.fresh)
        ordered, _ = orderer.body(captured.steps, set(), [])
        orderer.report()
        if not errors.before_types():
            TypeChecker(checked.tree, self._builtins, errors).query(module, ordered)
        errors.stop()
        return CheckedQuery(
            module=module,
            body=ordered,
            variables=captured.variables,
            expressions=_in_order(captured.expressions, ordered),
        )

    def _functions(self, tree: TreeNode) -> Functions:
        capabilities = self._capabilities
        return Functions(
            tree,
            self._builtins,
            self._errors,
            denied=capabilities.denied,
            lax=capabilities.deprecated,
        )


def _in_order(
    expressions: tuple[tuple[Expr, str | None], ...], body: Body
) -> tuple[tuple[Expr, str | None], ...]:
    """The expressions of a query in the order in which they are evaluated, which is that of OPA's results."""
    places: dict[tuple[int, int], int] = {}
    for place, expr in enumerate(body):
        places.setdefault((expr.start, expr.end), place)
    return tuple(sorted(expressions, key=lambda row: places.get((row[0].start, row[0].end), len(body))))


def _exports(modules: Iterable[Module]) -> dict[tuple[str, ...], set[str]]:
    """The first names of each package's rules."""
    found: dict[tuple[str, ...], set[str]] = {}
    for module in modules:
        names = found.setdefault(module.package.path, set())
        names.update(head_name(rule.head) for rule in module.rules)
    return found


def _names_below(node: TreeNode) -> set[str]:
    return {name for name, child in node.children.items() if any(child.below())}


def arity_of(tree: TreeNode, builtins: Mapping[str, Builtin]) -> Arity:
    """How many operands the functions of this program and these built-ins take."""

    def arity(call: Call) -> int:
        name = call.name
        if isinstance(name, Var):
            row = builtins.get(name.name)
            return -1 if row is None else len(row.type.args)
        path = tuple(step.value for step in name.path if isinstance(step, Scalar))
        node = tree.find(path)
        return -1 if node is None or node.arity is None else node.arity

    return arity


def _store(tree: TreeNode, rules: Mapping[tuple[str, ...], list[Rule]]) -> None:
    """Give each node its rules; a default rule's else does not exist."""
    for path, found in rules.items():
        node = tree.find(path)
        assert node is not None
        node.rules = tuple(rule for rule in found if not rule.default)
        node.default = next((rule for rule in found if rule.default), None)
