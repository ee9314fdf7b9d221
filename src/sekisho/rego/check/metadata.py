"""``rego.metadata.rule`` and ``rego.metadata.chain``: the METADATA blocks around a rule, as constants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Note, Span
from sekisho.rego import codes
from sekisho.rego.check.errors import Errors, Stage
from sekisho.rego.nodes import (
    Annotation,
    ArrayTerm,
    Module,
    Node,
    ObjectTerm,
    Ref,
    Rule,
    Scalar,
    Term,
    Var,
)

METADATA: Final = frozenset({"rego.metadata.rule", "rego.metadata.chain"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A METADATA block and the path of what it describes."""

    annotation: Annotation
    path: tuple[str, ...]
    module: Module

    def link(self) -> dict[str, Any]:
        """The block as a link of a chain."""
        return {"annotations": self.annotation.value, "path": list(self.path)}


class Annotations:
    """The METADATA blocks of all modules, by scope and path."""

    __slots__ = ("_blocks", "errors")

    def __init__(self, modules: Sequence[Module], errors: Errors) -> None:
        self.errors = errors
        self._blocks: dict[tuple[str, tuple[str, ...]], Block] = {}
        for module in modules:
            if module.annotations:
                for block in _blocks(module):
                    self._add(block)

    def _add(self, block: Block) -> None:
        key = (block.annotation.scope, block.path)
        first = self._blocks.setdefault(key, block)
        if first is block or first.annotation is block.annotation:
            return
        line = first.module.source.position(first.annotation.start).line
        where = f"{first.module.source.name}:{line}"
        span = Span(first.module.source, first.annotation.start, first.annotation.end)
        self.errors.add(
            Stage.METADATA,
            codes.METADATA_TWICE,
            f"{block.annotation.scope} annotation redeclared: {where}",
            (block.module, block.annotation),
            notes=(Note("the first one", span),),
        )

    def term(self, builtin: str, module: Module, rule: Rule, at: Node) -> Term:
        """What a call of ``builtin`` in this rule gives."""
        own = [one for one in rule.annotations if one.scope == "rule"]
        own.sort(key=lambda one: -one.start)
        if builtin == "rego.metadata.rule":
            return _literal(own[0].value if own else {}, at)
        package = module.package.path
        path = (*package, *_ground(rule))
        chain: list[dict[str, Any]] = [{"annotations": one.value, "path": list(path)} for one in own]
        if not own:
            chain.append({"path": list(path)})
        wanted = [("document", path), ("package", package)]
        wanted += [("subpackages", package[:length]) for length in range(len(package), -1, -1)]
        chain += [self._blocks[key].link() for key in wanted if key in self._blocks]
        return _literal(chain, at)


def _blocks(module: Module) -> Iterable[Block]:
    """The blocks of which there is one a path."""
    package = module.package.path
    for one in module.annotations:
        if one.scope in {"package", "subpackages"}:
            yield Block(annotation=one, path=package, module=module)
    for rule in module.rules:
        for one in rule.annotations:
            if one.scope == "document":
                yield Block(annotation=one, path=(*package, *_ground(rule)), module=module)


def _ground(rule: Rule) -> tuple[str, ...]:
    """The ground beginning of a rule's reference."""
    ref = rule.head.ref
    head = ref.head if isinstance(ref, Ref) else ref
    assert isinstance(head, Var)
    names = [head.name]
    for step in ref.path if isinstance(ref, Ref) else ():
        if not isinstance(step, Scalar):
            break
        names.append(str(step.value))
    return tuple(names)


def _literal(value: Any, at: Node) -> Term:
    """The term that a JSON value is."""
    if isinstance(value, dict):
        pairs = tuple((_literal(k, at), _literal(v, at)) for k, v in value.items())
        return ObjectTerm(pairs, start=at.start, end=at.end)
    if isinstance(value, list):
        return ArrayTerm(tuple(_literal(item, at) for item in value), start=at.start, end=at.end)
    return Scalar(value, start=at.start, end=at.end)
