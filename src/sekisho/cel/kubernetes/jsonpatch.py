"""Kubernetes' jsonpatch library, which mutating policies have. Facts: ``library/jsonpatch.go``."""

from __future__ import annotations

from typing import Final

from sekisho.cel.functions import Overload
from sekisho.cel.kubernetes.costs import priced
from sekisho.cel.library import Library
from sekisho.cel.state import State
from sekisho.cel.types import STRING

_ESCAPES: Final = str.maketrans({"/": "~1", "~": "~0"})


def _escape(state: State, key: str) -> str:
    state.meter.text(2 * len(key))
    return key.translate(_ESCAPES)


JSON_PATCH: Final = Library(
    name="kubernetes.jsonpatch",
    overloads=priced(
        (
            Overload(
                id="string_jsonpatch_escapeKey_string",
                function="jsonpatch.escapeKey",
                params=(STRING,),
                result=STRING,
                call=_escape,
                context=True,
                note="a key as a part of a path: ~ becomes ~0, / becomes ~1",
            ),
        )
    ),
)
