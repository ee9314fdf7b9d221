"""Parameters that a template reads although their schema has no such field (policy.md 1.2).

A constraint that sets one is refused, so such a read is undefined in every constraint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sekisho.diag import Diagnostic, Level, Source, Span
from sekisho.kube.schema import Schema
from sekisho.kube.schema.suggest import suggestion
from sekisho.policy import codes
from sekisho.policy.code import Facts, ParameterRead


def parameter_warnings(facts: Facts, schema: Schema, sources: Sequence[Source]) -> Iterator[Diagnostic]:
    """A warning for each read of a parameter that no constraint can set. ``schema`` is the constraints'."""
    spec = schema.child("spec")
    for read in facts.parameters if spec is not None else ():
        found = _unknown(spec, read)
        if found is not None:
            text, close = found
            message = f"{text} is not in the schema of the parameters, so no constraint can set it"
            yield Diagnostic(
                code=codes.INPUT_TYPO,
                level=Level.WARNING,
                message=f"{message}; {close}" if close else message,
                at=Span(sources[read.source], read.start, read.end),
                help="add it to spec.crd.spec.validation.openAPIV3Schema",
            )


def _unknown(spec: Schema | None, read: ParameterRead) -> tuple[str, str] | None:
    """The path up to the first field that is unknown, and what was meant; None if all of it may be there."""
    node, text = spec, "input"
    for step in ("parameters", *read.steps):
        if node is None:
            return None
        if not isinstance(step, str):
            # An index, a variable: an item of a list, or a value of a map of which all are alike.
            node = node.items.resolved() if node.items else node.additional
            node = node.resolved() if node else None
            text += f"[{'_' if step is None else step}]"
            continue
        child = node.child(step)
        text += f".{step}" if step.isidentifier() else f'["{step}"]'
        if child is None:
            closed = node.type == "object" and not (node.open or node.kept)
            return (text, suggestion(step, node.properties)) if closed else None
        node = child
    return None
