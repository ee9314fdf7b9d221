"""Judging a value by a schema: diagnostics at exact places, quickly for values that are valid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sekisho.diag import Diagnostic, ObjectPath, ObjectRef, Origin, Path
from sekisho.kube.schema import codes
from sekisho.kube.schema.compile import checker
from sekisho.kube.schema.explain import Problem, explain
from sekisho.kube.schema.model import Schema
from sekisho.kube.schema.suggest import for_unknown_field

Locate = Callable[[Path, bool], ObjectPath]
"""Makes a place from a path inside the value; true points at the path's last key."""

_NOBODY = ObjectRef(group_version="", kind="")


def locator(ref: ObjectRef = _NOBODY, origin: Origin | None = None, under: Path = ()) -> Locate:
    """Places inside an object, for a value that stands ``under`` a path of it."""

    def locate(path: Path, key: bool) -> ObjectPath:
        return ObjectPath(ref=ref, path=(*under, *path), origin=origin, key=key)

    return locate


def validate(
    value: Any, schema: Schema, at: Locate | None = None, under: Path = ()
) -> tuple[Diagnostic, ...]:
    """What is wrong with a value: unknown fields, wrong types, missing fields, values out of bounds.

    ``under`` is where the value stands in its object: messages name whole paths (``spec.parameters.x``).
    ``at`` makes the places of the diagnostics; without it they are paths of an object without a name.
    Defaults are not applied: call ``default`` first, as the API server does.
    """
    try:
        if checker(schema)(value):
            return ()
        problems = list(explain(schema, value, under))
    except RecursionError:
        message = "the value is nested too deeply to be judged"
        problems = [Problem(codes.TOO_DEEP, message, under)]
    make = at or locator()
    return tuple(_diagnostic(problem, make, schema, len(under)) for problem in problems)


def is_valid(value: Any, schema: Schema) -> bool:
    """Whether ``validate`` would find nothing."""
    return not validate(value, schema)


def _diagnostic(problem: Problem, make: Locate, schema: Schema, above: int) -> Diagnostic:
    help = problem.help
    if problem.code is codes.UNKNOWN_FIELD:
        help = for_unknown_field(schema, problem.path[above:])
    return Diagnostic(
        code=problem.code,
        message=problem.message,
        at=make(problem.path, problem.key),
        help=help,
    )
