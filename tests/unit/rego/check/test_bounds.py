"""Sources made to be slow to check are checked in a time that grows with their size, about."""

from __future__ import annotations

import time

import pytest

from sekisho.rego import builtins
from sekisho.rego.check.typecheck.ops import OPTIONS, type_text

from .helpers import checked, errors

COUNT = 600
SECONDS = 10
"""Far more than any of these takes; the quadratic and exponential ways they had took longer."""


def lines(form: str, count: int = COUNT) -> str:
    return "\n".join(form.replace("NEXT", str(i + 1)).replace("N", str(i)) for i in range(count))


SOURCES = {
    "a body in reverse": f"p if {{\n{lines('xN = xNEXT + 1')}\nx{COUNT} = 1\n}}",
    "closures that wait": f"p if {{\n{lines('yN := [a | a := xN]')}\n{lines('xN = 1')}\n}}",
    "prints": f"p if {{\n{lines('xN := N; print(xN)')}\n}}",
    "types that double": f"p if {{\nx0 := [1, 1]\n{lines('xNEXT := [xN, xN]', 60)}\nx60 == input.x\n}}",
    "types of rules that double": f"x0 := [1, 1]\n{lines('xNEXT := [xN, xN]', 60)}",
    "a rule of many types": f"{lines('p := {"aN": N} if input.x == N')}\nq := p[_]",
    "rules that read a whole package": f"{lines('pN if data.u[input.x]')}",
    "a table": "p := {" + lines('"kN": [N, {"b": N}],').replace("\n", "") + "}\nq := p.k5[0]",
}


@pytest.mark.parametrize("name", SOURCES)
def test_accepted_in_time(name: str) -> None:
    builtins.load()
    before = time.monotonic()
    assert errors(SOURCES[name]) == []
    assert time.monotonic() - before < SECONDS


def test_a_large_union_is_anything() -> None:
    count = OPTIONS.value + 1
    node = checked(lines('p := {"aN": N} if input.x == N', count)).tree.find(("t", "p"))
    assert node is not None
    assert type_text(node.type) == "any"
