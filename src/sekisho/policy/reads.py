"""What a template's Rego reads of ``input``, and which of it no template's input ever has (policy.md 1.3).

A path that is never there is undefined, which is no error in Rego: the rule that reads it never holds, and
nobody notices. ``object.get`` with such a path always gives its default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sekisho.kube.schema.suggest import suggestion
from sekisho.policy.code import ParameterRead, Step, Warned
from sekisho.rego.nodes import ArrayTerm, Call, Node, Ref, Scalar, Term, Var

Fields = Mapping[str, Any]
"""Field names, each with what is below it: another such mapping, or None for what is not looked into."""

_LEAF: Final[Fields] = {}
_KIND: Final[Fields] = dict.fromkeys(("group", "version", "kind"), _LEAF)
_RESOURCE: Final[Fields] = dict.fromkeys(("group", "version", "resource"), _LEAF)

REVIEW: Final[Fields] = {
    **dict.fromkeys(("uid", "name", "namespace", "operation", "dryRun"), _LEAF),
    **dict.fromkeys(("subResource", "requestSubResource"), _LEAF),
    **dict.fromkeys(("kind", "requestKind"), _KIND),
    **dict.fromkeys(("resource", "requestResource"), _RESOURCE),
    "userInfo": {"username": _LEAF, "uid": _LEAF, "groups": None, "extra": None},
    "object": None,
    "oldObject": None,
    "options": None,
    "namespaceObject": {
        **dict.fromkeys(("apiVersion", "kind"), _LEAF),
        **dict.fromkeys(("metadata", "spec", "status"), None),
    },
}
"""``input.review``: an AdmissionRequest with the object's Namespace."""

INPUT: Final[Fields] = {"review": REVIEW, "parameters": None}

MEANT: Final[Mapping[str, str]] = {
    "input.request": "input.review",
    "input.constraint": "input.parameters",
    "input.constraint.spec.parameters": "input.parameters",
    "input.constraints": "input.parameters",
    "input.params": "input.parameters",
    "input.review._unstable": "input.review.namespaceObject",
    **{f"input.{field}": f"input.review.{field}" for field in REVIEW},
    **{f"input.review.namespaceObject.{field}": f"input.review.namespaceObject.metadata.{field}"
       for field in ("name", "labels", "annotations")},
    **{f"input.review.{field}": f"input.review.object.{field}" for field in ("metadata", "spec", "status")},
    **{f"input.review.{field}": f"input.review.userInfo.{field}" for field in ("username", "groups")},
}  # fmt: skip
"""What people mean who write these; other slips are guessed by their spelling."""


def path_of(term: Node) -> tuple[Step, ...] | None:
    """The steps below ``input`` that a term reads, None where each of them is a variable or an expression.

    The result is None if the term does not read input. ``object.get`` with a path written out counts.
    """
    if isinstance(term, Var):
        return () if term.name == "input" else None
    if isinstance(term, Ref):
        base = path_of(term.head)
        return None if base is None else (*base, *map(_step, term.path))
    if isinstance(term, Call) and _is_get(term.name) and len(term.args) == 3:
        base = path_of(term.args[0])
        return None if base is None else (*base, *_key(term.args[1]))
    return None


def warnings(source: int, term: Node, path: tuple[Step, ...]) -> Iterator[Warned]:
    """A warning if the path is one that is never there; ``source`` is the number of the module."""
    fields: Fields | None = INPUT
    text = "input"
    for index, step in enumerate(path):
        if fields is None or step is None:
            return
        known = isinstance(step, str) and step in fields
        text += f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step!r}]"
        if not known:
            if index >= _inner(term):
                yield _warned(source, term, text, step, fields)
            return
        fields = fields[str(step)]


def parameters(source: int, term: Node, path: tuple[Step, ...]) -> Iterator[ParameterRead]:
    """The read of parameters that a path is, to be held against their schema."""
    if path[:1] == ("parameters",) and len(path) > 1:
        yield ParameterRead(source=source, start=term.start, end=term.end, steps=path[1:])


def _warned(source: int, term: Node, text: str, step: Step, fields: Fields) -> Warned:
    effect = "is always the default" if isinstance(term, Call) else "never holds"
    message = f"{text} is never there in a template, so this {effect}"
    meant = MEANT.get(text)
    close = f"did you mean {meant}?" if meant else suggestion(step, fields)
    if fields is INPUT:
        help = "a template's input has the fields review and parameters"
    elif fields:
        help = f"the fields there are {', '.join(sorted(fields))}"
    else:
        help = "there is a plain value, which has no fields"
    return Warned(
        source=source,
        start=term.start,
        end=term.end,
        message=f"{message}; {close}" if close else message,
        help=help,
    )


def _inner(term: Node) -> int:
    """How many steps belong to a term inside, which comes by itself."""
    inside = term.head if isinstance(term, Ref) else term.args[0] if isinstance(term, Call) else None
    return len(path_of(inside) or ()) if inside is not None else 0


def _is_get(name: Var | Ref) -> bool:
    return (
        isinstance(name, Ref)
        and isinstance(name.head, Var)
        and name.head.name == "object"
        and [_step(step) for step in name.path] == ["get"]
    )


def _key(term: Term) -> tuple[Step, ...]:
    """The second argument of ``object.get``: a key, or an array of keys."""
    if isinstance(term, ArrayTerm):
        return tuple(map(_step, term.items))
    return (_step(term),)


def _step(term: Term) -> Step:
    """A step that is written out, else None."""
    if isinstance(term, Scalar) and isinstance(term.value, str | int) and not isinstance(term.value, bool):
        return term.value
    return None
