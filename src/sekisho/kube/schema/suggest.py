"""What was probably meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_ALIKE: Final = 0.6
"""How alike two names must be (difflib's ratio) for the one to be offered for the other."""
_MOST: Final = 64
"""Characters of a name that are compared; a longer one is no slip of the pen."""


def suggestion(name: object, known: Iterable[str]) -> str:
    """``did you mean "replicas"?``, or empty if nothing known is like the name."""
    if not isinstance(name, str) or not 0 < len(name) <= _MOST:
        return ""
    names = sorted(known)
    folded = _fold(name)
    best = next((candidate for candidate in names if _fold(candidate) == folded), None)
    if best is None:
        import difflib

        close = difflib.get_close_matches(name, names, n=1, cutoff=_ALIKE)
        if not close:
            return ""
        best = close[0]
    return f'did you mean "{best}"?'


def _fold(name: str) -> str:
    """A name without what people most often get wrong: case, hyphens, underscores."""
    return name.lower().replace("-", "").replace("_", "")
