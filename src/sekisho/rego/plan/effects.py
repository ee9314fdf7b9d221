"""What ``with`` modifiers may replace, so that all other calls and rules need not ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sekisho.rego.plan import ir
from sekisho.rego.plan.tree import RuleTree


@dataclass(frozen=True, slots=True)
class Effects:
    """``mockable`` names functions and built-ins; ``overridable`` are groups at or below a target on data."""

    mockable: frozenset[str] = frozenset()
    overridable: frozenset[int] = frozenset()

    def union(self, other: Effects) -> Effects:
        """Both."""
        return Effects(self.mockable | other.mockable, self.overridable | other.overridable)


def effects(blocks: Iterable[ir.Block], tree: RuleTree) -> Effects:
    """The effects of all ``with`` modifiers in these blocks and inside them."""
    mockable: set[str] = set()
    overridable: set[int] = set()
    for block in blocks:
        for ins in instructions(block):
            if not isinstance(ins, ir.With):
                continue
            for each in ins.replacements:
                if each.target is ir.Target.FUNCTION:
                    mockable.add(each.path[0])
                elif each.target is ir.Target.DATA:
                    overridable.update(tree.below(each.path))
    return Effects(frozenset(mockable), frozenset(overridable))


_NESTED: Final = (ir.Collect, ir.Not, ir.Every)


def instructions(block: ir.Block) -> Iterator[ir.Instruction]:
    """The instructions of a block and of the blocks inside it."""
    for ins in block:
        yield ins
        if isinstance(ins, _NESTED):
            yield from instructions(ins.block)


def group_blocks(groups: Iterable[ir.Group]) -> Iterator[ir.Block]:
    """The blocks of groups."""
    for group in groups:
        for clause in (*group.clauses, *([group.default] if group.default else ())):
            link: ir.Clause | None = clause
            while link is not None:
                yield link.block
                link = link.orelse
