"""The suites notice mistakes: a few of the mutants that ``python -m tests.mutation`` seeds, and how they are made."""

from __future__ import annotations

import pytest
from tests.mutation.__main__ import drawn, run, seeded
from tests.mutation.mutants import mutants

from sekisho.diag import Source
from sekisho.policy.library import entry_names

SOURCE = Source(
    "p.rego",
    """package p

violation contains {"msg": "no"} if {
	not input.a.b == 1
	input.c >= 2
}
""",
)


def test_mutants_of_a_source() -> None:
    made = [row.describe(SOURCE.text) for row in mutants(SOURCE)]
    assert made == [
        "line 3: a rule left out: " + " ".join(SOURCE.text.split()[2:]) + " -> nothing",
        'line 3: a constant: "msg" -> "msg_"',
        'line 3: a constant: "no" -> "no_"',
        "line 4: not taken away: not -> nothing",
        "line 4: a statement left out: not input.a.b == 1 -> true",
        "line 4: a path: a -> a_",
        "line 4: a path: b -> b_",
        "line 4: an operator: == -> !=",
        "line 4: a constant: 1 -> 2",
        "line 5: not added:  -> not",
        "line 5: a statement left out: input.c >= 2 -> true",
        "line 5: a path: c -> c_",
        "line 5: an operator: >= -> <=",
        "line 5: an operator: >= -> >",
        "line 5: a constant: 2 -> 3",
    ]


@pytest.mark.parametrize("seed", range(3))
def test_suites_find_mutants(seed: int) -> None:
    rows = drawn([row for name in entry_names()[seed::10] for row in seeded(name)], 25, seed)
    alive = [row.name for row, lives, reason in run(rows) if lives and reason is None]
    assert alive == []
