"""Checked modules to groups of planned rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sekisho.diag import Code, Diagnostic, DiagnosticError
from sekisho.rego import codes, nodes
from sekisho.rego.builtins.table import Builtin
from sekisho.rego.check.program import Checked, Rule
from sekisho.rego.cover import MARK
from sekisho.rego.nodes import Ref, Scalar, Var
from sekisho.rego.plan import ir
from sekisho.rego.plan.body import BodyPlanner
from sekisho.rego.plan.ir import Clause, Group
from sekisho.rego.plan.terms import Names
from sekisho.rego.plan.tree import Definition, RuleTree, build
from sekisho.rego.values import Value

PARAMETERS = "a"
"""Parameters of functions are called a0, a1, …; locals are not, since those have an underscore."""


@dataclass(slots=True)
class Unit:
    """What is planned together: the groups of a checked program, and the built-ins they may call.

    ``explains``: the code notes which expressions of rules have held.
    """

    checked: Checked
    builtins: Mapping[str, Builtin]
    explains: bool = False
    tree: RuleTree = field(default_factory=RuleTree)
    _numbers: dict[int, int] = field(default_factory=dict)
    _prints: bool = False

    def __post_init__(self) -> None:
        self.tree = build(self.checked.tree, self.checked.packages)
        texts = [module.source.text for module in self.checked.modules]
        self._prints = any(word in text for text in texts for word in ("print(", "trace("))
        self._numbers = {id(module): number for number, module in enumerate(self.checked.modules)}

    # --- what planners ask ---

    @property
    def prints(self) -> bool:
        """Whether anything may be printed: then the order of all loops can be seen."""
        return self._prints

    @property
    def covers(self) -> bool:
        """Whether evaluation marks what it comes to."""
        return MARK in self.builtins

    def function_name(self, term: Var | Ref) -> str:
        """The name of the function that a call or a ``with`` names: a built-in's, or ``data.…``."""
        return term.name if isinstance(term, Var) else ".".join(reference_path(term))

    def function_group(self, name: str) -> int:
        """The number of a function's group; -1 for a built-in."""
        return self.tree.group(tuple(name.split(".")[1:])) if name.startswith("data.") else -1

    def arity(self, name: str) -> int:
        """How many operands a function takes; none for another rule, whose value a call then is."""
        group = self.function_group(name)
        return max(self.tree.arities[group], 0) if group >= 0 else len(self.builtins[name].type.args)

    def relation(self, name: str) -> bool:
        """Whether a built-in may have several solutions."""
        return self.builtins[name].relation

    def metadata(self, module: int, name: str, call: nodes.Call) -> Value:
        """What ``rego.metadata.rule`` or ``chain`` says at a place."""
        del module, call
        return {} if name.endswith("rule") else []

    def unsafe(self, module: int, node: nodes.Node) -> DiagnosticError:
        """The error for a term that cannot be evaluated where it stands."""
        what = f"var {node.name}" if isinstance(node, Var) else "expression"
        return self._error(codes.UNSAFE, module, node, f"{what} is unsafe")

    def _error(self, code: Code, module: int, node: nodes.Node, message: str) -> DiagnosticError:
        span = self.checked.modules[module].span(node)
        return DiagnosticError(Diagnostic(code=code, message=message, at=span))

    # --- planning ---

    def groups(self) -> list[Group]:
        """All groups, planned, in the order of their numbers."""
        return [self._group(number) for number in range(len(self.tree.paths))]

    def _group(self, number: int) -> Group:
        group = Group(number, self.tree.paths[number], self.tree.forms[number])
        group.params = tuple(f"{PARAMETERS}{at}" for at in range(self.tree.arities[number]))
        names = Names()
        for definition in self.tree.definitions[number]:
            clause = self._clause(definition, definition.rule, group, names)
            if definition.rule.default:
                group.default = clause
            else:
                group.clauses.append(clause)
        return group

    def _clause(self, definition: Definition, rule: Rule, group: Group, names: Names) -> Clause:
        module = self._numbers[id(rule.module)]
        planner = BodyPlanner(self, module, names)
        if self.explains:
            planner.seen = []
        if self.explains and rule.default:
            planner.emit(ir.Held((), forget=True), rule.node)
        for param, pattern in zip(group.params, rule.args or (), strict=True):
            planner.unify_operand(pattern, param)
        planner.body(rule.body)
        planner.seen = None
        keys = tuple(planner.value(step) for step in definition.steps)
        value = planner.value(rule.value if rule.key is None else rule.key)
        node = rule.node
        planner.mark(node.head)
        clause = Clause(module, node.start, node.end, planner.block, value, keys)
        clause.member = rule.kind is nodes.RuleKind.SET
        if rule.orelse is not None:
            clause.orelse = self._clause(definition, rule.orelse, group, names)
        return clause


def reference_path(ref: Ref) -> tuple[str, ...]:
    """The steps of a ground reference, from its head on."""
    assert isinstance(ref.head, Var)
    steps = [step.value for step in ref.path if isinstance(step, Scalar)]
    return (ref.head.name, *steps)
