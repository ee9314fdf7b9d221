"""Annotations: comment blocks that begin with ``# METADATA``, and the statements they belong to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from sekisho.diag import Limit
from sekisho.rego import codes
from sekisho.rego.nodes import Annotation, Comment, Expr, Import, Package, Rule, Scalar, Var
from sekisho.rego.parser.heads import is_ground
from sekisho.rego.parser.metadata import MetadataError, read_metadata
from sekisho.rego.parser.state import State

Statement: TypeAlias = Package | Import | Rule | Expr

BLOCKS: Final = Limit("metadata", 2_000, "blocks", "each is YAML to be read, and compared with the rules")

_SCOPES: Final = {"rule": Rule, "document": Rule, "package": Package, "subpackages": Package}
_WORDS: Final[dict[type, str]] = {Rule: "rule", Package: "package", Import: "import", Expr: "body"}


def read_annotations(
    state: State, comments: Sequence[Comment], statements: Sequence[Statement]
) -> tuple[Annotation, ...]:
    """The annotations among the comments, each given to the rules it is about; errors go to ``state``.

    An annotation is about the statement after it; with the scope ``document``, about all rules of that name.
    """
    if "METADATA" not in state.text:
        return ()
    found: list[tuple[Annotation, Statement]] = []
    starts = [s.start for s in statements]
    for number, block in enumerate(_blocks(state, comments)):
        if BLOCKS.exceeded_by(number + 1):
            state.report(str(BLOCKS), block[0].start, block[0].end, codes.ANNOTATION)
            break
        annotation = _read(state, block)
        if annotation is None:
            continue
        after = bisect_right(starts, block[0].end)
        target = statements[after] if after < len(statements) else None
        _settle_scope(annotation, target)
        if _fits(state, annotation, target) and target is not None:
            found.append((annotation, target))
    if not state.errors:
        _attach([s for s in statements if isinstance(s, Rule)], found)
    return tuple(annotation for annotation, _ in found)


def _blocks(state: State, comments: Sequence[Comment]) -> Iterator[list[Comment]]:
    """Runs of comments on consecutive lines, in column one, that begin with ``METADATA``."""
    block: list[Comment] = []
    last = 0
    for comment in comments:
        line, column = state.source.position(comment.start)
        begins = column == 1 and comment.text.strip().startswith("METADATA")
        if block and (begins or column != 1 or line != last + 1):
            yield block
            block = []
        if begins or block:
            block.append(comment)
        last = line
    if block:
        yield block


def _read(state: State, block: list[Comment]) -> Annotation | None:
    lines = [comment.text.removeprefix(" ") for comment in block[1:]]
    try:
        value = read_metadata("".join(f"{line}\n" for line in lines))
    except MetadataError as error:
        at = block[0]
        if error.line is not None and len(block) > 1:
            at = block[min(error.line + 1, len(block) - 1)]
        state.report_at(str(error), at, codes.ANNOTATION)
        return None
    return Annotation(value.get("scope", ""), value, start=block[0].start, end=block[-1].end)


def _settle_scope(annotation: Annotation, target: Statement | None) -> None:
    """Without a scope, an annotation has that of the statement that it stands before."""
    if annotation.scope or target is None:
        return
    scope = _WORDS[type(target)]
    if scope == "rule" and annotation.value.get("entrypoint"):
        scope = "document"
    annotation.scope = scope
    annotation.value["scope"] = scope


def _fits(state: State, annotation: Annotation, target: Statement | None) -> bool:
    """Whether the scope belongs to such a statement; reported otherwise."""
    scope = annotation.scope
    wanted = _SCOPES.get(scope)
    message = ""
    if wanted is None:
        message = (
            f"invalid annotation scope '{scope}'. Use one of 'rule', 'document', 'package', or 'subpackages'"
        )
    elif not isinstance(target, wanted):
        have = f" (have {_WORDS[type(target)]})" if target is not None else ""
        message = f"annotation scope '{scope}' must be applied to {_WORDS[wanted]}{have}"
    elif annotation.value.get("entrypoint") and scope not in {"document", "package"}:
        message = f"annotation entrypoint applied to non-document or package scope '{scope}'"
    if message:
        state.report(message, annotation.start, annotation.end, codes.ANNOTATION)
    return not message


def _attach(rules: Sequence[Rule], found: Sequence[tuple[Annotation, Statement]]) -> None:
    """Give each rule its annotations: one of the scope ``rule`` goes to the first rule after it only."""
    left = [(annotation, _name(target)) for annotation, target in found if isinstance(target, Rule)]
    if not left:
        return
    for rule in rules:
        name = _name(rule)
        mine = [
            pair
            for pair in left
            if pair[1] == name and (pair[0].scope == "document" or rule.start > pair[0].start)
        ]
        rule.annotations = tuple(annotation for annotation, _ in mine)
        spent = [pair for pair in mine if pair[0].scope == "rule"]
        if spent:
            left.remove(spent[-1])


def _name(rule: Rule) -> tuple[object, ...]:
    """The constant beginning of a rule's reference, comparable."""
    ref = rule.head.ref
    if isinstance(ref, Var):
        return (ref.name,)
    assert isinstance(ref.head, Var)
    steps: list[object] = [ref.head.name]
    for step in ref.path:
        if not is_ground(step):
            break
        steps.append((type(step.value), step.value) if isinstance(step, Scalar) else id(step))
    return tuple(steps)
