"""Sources made to be slow to check pass; in the quadratic and exponential ways they would not end."""

from __future__ import annotations

import pytest

from sekisho.rego.check.typecheck.ops import OPTIONS, type_text

from .helpers import checked, errors

COUNT = 1_000


def lines(form: str, count: int = COUNT) -> str:
    return "\n".join(form.replace("NEXT", str(i + 1)).replace("N", str(i)) for i in range(count))


SOURCES = {
    "a body in reverse": f"p if {{\n{lines('xN = xNEXT + 1')}\nx{COUNT} = 1\n}}",
    "closures that wait": f"p if {{\n{lines('yN := [a | a := xN]')}\n{lines('xN = 1')}\n}}",
    "prints": f"p if {{\n{lines('xN := N; print(xN)')}\n}}",
    "types that double": f"p if {{\nx0 := [1, 1]\n{lines('xNEXT := [xN, xN]', 60)}\nx60 == input.x\n}}",
    "types of rules that double": f"x0 := [1, 1]\n{lines('xNEXT := [xN, xN]', 60)}",
    "a rule of many types": lines('p := {"aN": N} if input.x == N') + "\nq := p[_]",
    "rules that read a whole package": f"{lines('pN if data.u[input.x]')}",
    "a table": "p := {" + lines('"kN": [N, {"b": N}],').replace("\n", "") + "}\nq := p.k5[0]",
}


@pytest.mark.parametrize("name", SOURCES)
def test_accepted(name: str) -> None:
    assert errors(SOURCES[name]) == []


def test_a_large_union_is_anything() -> None:
    count = OPTIONS.value + 1
    node = checked(lines('p := {"aN": N} if input.x == N', count)).tree.find(("t", "p"))
    assert node is not None
    assert type_text(node.type) == "any"
