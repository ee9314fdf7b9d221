"""The rule tree: where each rule stands below ``data``, and which rules cannot stand together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.diag import Note, Span
from sekisho.rego import codes
from sekisho.rego.check.errors import Errors, Stage
from sekisho.rego.check.program import TreeNode
from sekisho.rego.check.text import path_text, step_text, term_text
from sekisho.rego.nodes import (
    ArrayTerm,
    Module,
    ObjectTerm,
    Ref,
    Rule,
    RuleKind,
    Scalar,
    SetTerm,
    Term,
)
from sekisho.rego.values import Value, key

Exists = Callable[[tuple[str, ...]], bool]
"""Whether base data has a value at this path."""

_CONFLICT_HELP: Final = "a rule's value leaves no room for other rules below it"


@dataclass(slots=True)
class Placed:
    """A rule with its place: the ground beginning of its reference, and whether a dynamic rest follows."""

    module: Module
    rule: Rule
    path: tuple[Value, ...]
    ground: bool


@dataclass(slots=True)
class _Node:
    """A node while conflicts are looked for; its children are keyed by ground steps of any kind."""

    path: tuple[Value, ...]
    rules: list[Placed] = field(default_factory=list)
    children: dict[Any, _Node] = field(default_factory=dict)

    def below(self) -> Iterable[_Node]:
        """The nodes below this one."""
        for child in self.children.values():
            yield child
            yield from child.below()


class RuleTree:
    """The rules of all modules by place. ``root`` is the tree that the checks hand on, without its rules."""

    __slots__ = ("_root", "placed", "root")

    def __init__(self, modules: Iterable[Module]) -> None:
        self.root = TreeNode(path=())
        self._root = _Node(())
        self.placed: dict[tuple[str, ...], list[Placed]] = {}
        for module in modules:
            self._node(module.package.path)
            for rule in module.rules:
                self._place(module, rule)

    def _node(self, path: tuple[Value, ...]) -> _Node:
        node = self._root
        for i, step in enumerate(path):
            form = step if type(step) is str else key(step)
            child = node.children.get(form)
            if child is None:
                child = node.children[form] = _Node(path[: i + 1])
            node = child
        return node

    def _place(self, module: Module, rule: Rule) -> None:
        steps = head_steps(rule)
        ground = module.package.path + ground_steps(steps)
        placed = Placed(module, rule, ground, len(ground) - len(module.package.path) == len(steps))
        self._node(ground).rules.append(placed)
        path = rule_path(module, rule)
        self.placed.setdefault(path, []).append(placed)
        node = self.root
        for i, step in enumerate(path):
            child = node.children.get(step)
            if child is None:
                child = node.children[step] = TreeNode(path=path[: i + 1])
            node = child
        kind = rule_kind(module, rule)
        if node.kind is None or kind is RuleKind.OBJECT:
            node.kind = kind
        if kind is RuleKind.FUNCTION and node.arity is None:
            node.arity = len(rule.head.args or ())

    def defined(self) -> frozenset[tuple[str, ...]]:
        """The paths of rules that always have a value: with a default, sets, and single constants."""
        return frozenset(path for path, rules in self.placed.items() if _always_defined(rules))

    # --- conflicts ----------------------------------------------------------------------------------------

    def check(self, modules: Iterable[Module], errors: Errors, exists: Exists | None) -> None:
        """Report rules that conflict with each other, with base data, or with a package."""
        for node in self._root.below():
            if node.rules:
                self._check_node(node, errors)
                if exists is not None and all(isinstance(step, str) for step in node.path):
                    self._check_data(node, errors, exists)
        packages: dict[tuple[str, ...], list[Module]] = {}
        for module in modules:
            packages.setdefault(module.package.path, []).append(module)
        for node in self._root.below():
            for other in packages.get(node.path, ()):
                for placed in node.rules:
                    if placed.ground and other is not placed.module:
                        self._report_package(placed, other, errors)

    @staticmethod
    def _report_package(placed: Placed, other: Module, errors: Errors) -> None:
        module = placed.module
        where = _place_text(module, placed.rule)
        package = "package " + path_text(other.package.path)[5:]
        head = term_text(placed.rule.head.ref)
        message = f"{package} conflicts with rule {head} defined at {where}"
        note = Note("the package", Span(other.source, other.package.start, other.package.end))
        errors.add(Stage.CONFLICTS, codes.CONFLICT, message, (module, module.package), notes=(note,))

    @staticmethod
    def _check_data(node: _Node, errors: Errors, exists: Exists) -> None:
        path = tuple(str(step) for step in node.path)
        if exists(path):
            first = node.rules[0]
            message = f"conflicting rule for data path {'/'.join(path)} found"
            errors.add(Stage.CONFLICTS, codes.DATA_CONFLICT, message, (first.module, first.rule))

    def _check_node(self, node: _Node, errors: Errors) -> None:
        rules = node.rules
        first = rules[0]
        name = path_text(node.path) + "".join(_dynamic_text(rules[-1]))
        if node.children:
            below = [rule for child in node.below() for rule in child.rules]
            if all(not rule.ground for rule in rules):
                below = [rule for rule in below if rule.rule.head.args]
            if below:
                message = f"rule {name} conflicts with:\n" + "\n".join(_told(below))
                errors.add(
                    Stage.CONFLICTS,
                    codes.CONFLICT,
                    message,
                    (first.module, first.rule),
                    help=_CONFLICT_HELP,
                    notes=tuple(_note(rule) for rule in below),
                )
                return
        if _mixed(rules):
            notes = tuple(_note(rule) for rule in rules[1:])
            message = f"conflicting rules {name} found"
            errors.add(Stage.CONFLICTS, codes.CONFLICT, message, (first.module, first.rule), notes=notes)
            return
        defaults = [rule for rule in rules if rule.rule.default]
        if len(defaults) > 1:
            places = ", ".join(_place_text(rule.module, rule.rule) for rule in defaults)
            message = f"multiple default rules {name} found at {places}"
            module = defaults[0].module
            notes = tuple(_note(rule) for rule in defaults)
            errors.add(Stage.CONFLICTS, codes.CONFLICT, message, (module, module.package), notes=notes)


def _mixed(rules: list[Placed]) -> bool:
    """Whether rules of one place define different things."""
    sets = {rule.rule.head.kind is RuleKind.SET for rule in rules}
    arities = {len(rule.rule.head.args or ()) for rule in rules}
    shapes = {_is_complete(rule) for rule in rules}
    grounds = {rule.ground for rule in rules if rule.rule.head.kind is RuleKind.SET}
    return len(sets) > 1 or len(arities) > 1 or len(shapes) > 1 or len(grounds) > 1


def _is_complete(placed: Placed) -> bool:
    return placed.rule.head.kind is not RuleKind.SET and placed.ground


def _always_defined(rules: list[Placed]) -> bool:
    first = rules[0].rule
    if first.head.args or any(not placed.ground for placed in rules):
        return False
    if first.default or first.head.kind is RuleKind.SET:
        return True
    if len(rules) == 1:
        value = first.head.value
        return not first.body and (value is None or _is_ground_value(value))
    return any(placed.rule.default for placed in rules[1:])


def _is_ground_value(term: Term) -> bool:
    if isinstance(term, (ArrayTerm, SetTerm)):
        return all(map(_is_ground_value, term.items))
    if isinstance(term, ObjectTerm):
        return all(_is_ground_value(k) and _is_ground_value(v) for k, v in term.pairs)
    return isinstance(term, Scalar)


# --- heads ------------------------------------------------------------------------------------------------


def head_steps(rule: Rule) -> tuple[Term, ...]:
    """The steps of a rule's reference, its name the first."""
    ref = rule.head.ref
    if not isinstance(ref, Ref):
        return (Scalar(ref.name, start=ref.start, end=ref.end),)
    head = ref.head
    assert hasattr(head, "name")
    return (Scalar(head.name, start=head.start, end=head.end), *ref.path)


def ground_steps(steps: tuple[Term, ...]) -> tuple[Value, ...]:
    """The values of the steps up to the first that is no scalar."""
    found: list[Value] = []
    for step in steps:
        if not isinstance(step, Scalar):
            break
        found.append(step.value)
    return tuple(found)


def rule_path(module: Module, rule: Rule) -> tuple[str, ...]:
    """The path of the node that holds a rule: its package, and the leading steps that are strings."""
    names: list[str] = []
    for value in ground_steps(head_steps(rule)):
        if not isinstance(value, str):
            break
        names.append(value)
    return (*module.package.path, *names)


def rule_kind(module: Module, rule: Rule) -> RuleKind:
    """What a rule makes of its node: an object, as soon as steps follow the node's path."""
    kind = rule.head.kind
    if kind is RuleKind.FUNCTION and not rule.head.args:
        kind = RuleKind.COMPLETE  # f() := 1 is no function but the rule f
    dynamic = len(rule_path(module, rule)) - len(module.package.path) < len(head_steps(rule))
    return RuleKind.OBJECT if dynamic else kind


def draft_kind(module: Module, rule: Rule) -> RuleKind:
    """What a rule is by itself: a set keeps being one where it is part of an object."""
    kind = rule_kind(module, rule)
    return RuleKind.SET if rule.head.kind is RuleKind.SET else kind


def rule_text(module: Module, rule: Rule) -> str:
    """A rule's reference from ``data`` as OPA writes it."""
    steps = head_steps(rule)
    texts = (step_text(s.value) if isinstance(s, Scalar) else f"[{term_text(s)}]" for s in steps)
    return path_text(module.package.path) + "".join(texts)


def _dynamic_text(placed: Placed) -> Iterable[str]:
    steps = head_steps(placed.rule)
    known = len(placed.path) - len(placed.module.package.path)
    for step in steps[known:]:
        yield step_text(step.value) if isinstance(step, Scalar) else f"[{term_text(step)}]"


def _place_text(module: Module, rule: Rule) -> str:
    line = module.source.position(rule.start).line
    return f"{module.source.name}:{line}"


def _note(placed: Placed) -> Note:
    source = placed.module.source
    return Note("the other rule", Span(source, placed.rule.start, placed.rule.end))


def _told(rules: list[Placed]) -> Iterable[str]:
    """One line for each rule that is not below another one of them."""
    texts = {path_text(rule.path) + "".join(_dynamic_text(rule)): rule for rule in reversed(rules)}
    kept: list[tuple[str, Placed]] = []
    for text, rule in sorted(texts.items()):
        if not any(_extends(rule, other) for _, other in kept):
            kept.append((text, rule))
    return [f"  rule {text} at {_place_text(rule.module, rule.rule)}" for text, rule in kept]


def _extends(rule: Placed, other: Placed) -> bool:
    return other.ground and rule.path[: len(other.path)] == other.path
