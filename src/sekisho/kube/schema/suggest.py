"""What was probably meant: a name like the unknown one, or another place where the name is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sekisho.diag import Path, path_text
from sekisho.kube.schema.model import Schema

_ALIKE: Final = 0.65
"""How alike two names must be (difflib's ratio) for the one to be offered for the other."""
_VERY_ALIKE: Final = 0.8
"""How alike, for a slip of the pen to be more likely than a wrong place."""
_MOST: Final = 64
"""Characters of a name that are compared; a longer one is no slip of the pen."""
_DEPTH: Final = 3
"""How many levels below a field's place are searched for it: as deep as a Deployment's pod spec."""


def suggestion(name: object, known: Iterable[str], alike: float = _ALIKE) -> str:
    """``did you mean "replicas"?``, or empty if nothing known is like the name."""
    if not isinstance(name, str) or not 0 < len(name) <= _MOST:
        return ""
    names = sorted(known)
    folded = _fold(name)
    best = next((candidate for candidate in names if _fold(candidate) == folded), None)
    if best is None:
        import difflib

        close = difflib.get_close_matches(name, names, n=1, cutoff=alike)
        if not close:
            return ""
        best = close[0]
    return f'did you mean "{best}"?'


def for_unknown_field(root: Schema, path: Path) -> str:
    """What was meant by a field that the schema does not know: another name, or another place.

    ``path`` leads from the root's value to the field. Indentation goes wrong as often as spelling.
    """
    nodes = [root.resolved()]
    for step in path[:-1]:
        child = nodes[-1].child(step)
        if child is None:
            return ""
        nodes.append(child)
    name = path[-1]
    known = nodes[-1].properties
    return (
        suggestion(name, known, _VERY_ALIKE)
        or _above(nodes, path)
        or _below(nodes[-1], name)
        or suggestion(name, known)
    )


def _above(nodes: list[Schema], path: Path) -> str:
    """A parent that knows the field: it is indented too deeply."""
    for depth in range(len(nodes) - 2, -1, -1):
        if path[-1] in nodes[depth].properties:
            return f"it is a field of {path_text(path[:depth]) or 'the object itself'}: indent it less"
    return ""


def _below(node: Schema, name: object) -> str:
    """The one place further down that knows the field; empty if there are several."""
    level: list[tuple[Path, Schema]] = [((), node)]
    for _ in range(_DEPTH):
        level = [
            ((*path, step), child.resolved())
            for path, parent in level
            for step, child in parent.properties.items()
            if child.resolved().properties
        ]
        found = [path for path, child in level if name in child.properties]
        if found:
            return f"it is a field of {path_text(found[0])} inside" if len(found) == 1 else ""
    return ""


def _fold(name: str) -> str:
    """A name without what people most often get wrong: case, hyphens, underscores."""
    return name.lower().replace("-", "").replace("_", "")
