"""Programs from the cache: the same answers, the same places, no second compilation."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho import rego
from sekisho.diag import DiagnosticError, Source

TEXT = """package t

p contains x if x := input.xs[_]

q := 1

q := 2 if input.two

r := x if x := data.t.p with input as {"xs": [7]}

n := 1.50

s := {"a", ["b"], {"c": 1}, null, true}
"""


class Counting:
    """Compiles, and counts how often."""

    def __init__(self, text: str = TEXT) -> None:
        self.source = Source("t.rego", text)
        self.count = 0

    def __call__(self) -> rego.Program:
        self.count += 1
        return rego.compile({"t.rego": self.source})

    def cached(self, folder: Path, *salt: str) -> rego.Program:
        return rego.cached(self, cache=rego.program_cache(str(folder)), sources=[self.source], salt=salt)


def test_the_second_program_is_not_compiled(tmp_path: Path) -> None:
    build = Counting()
    answers = [build.cached(tmp_path).rule(f"data.t.{name}")({"xs": [1, 2]}) for name in "pprrnnss"]
    assert build.count == 1
    assert all(a == b for a, b in zip(answers[::2], answers[1::2], strict=True))
    assert answers[4].text == "1.50"


def test_a_query_of_a_cached_program_compiles_it(tmp_path: Path) -> None:
    build = Counting()
    build.cached(tmp_path)
    program = build.cached(tmp_path)
    assert build.count == 1
    assert program.query("x = data.t.n").eval({})[0]["bindings"]["x"] == 1.5
    assert build.count == 2


def test_errors_keep_their_places(tmp_path: Path) -> None:
    build = Counting()
    places = []
    for _ in range(2):
        with pytest.raises(DiagnosticError) as caught:
            build.cached(tmp_path).rule("data.t.q")({"two": True})
        places.append(caught.value.diagnostics[0].at)
    assert places[0] == places[1]
    assert places[0].begins.line == 7


def test_another_text_name_or_salt_is_another_program(tmp_path: Path) -> None:
    build = Counting()
    build.cached(tmp_path)
    build.cached(tmp_path, "v0")
    other = Counting(TEXT + "\n")
    other.cached(tmp_path)
    assert (build.count, other.count) == (2, 1)


def test_what_is_damaged_is_compiled_anew(tmp_path: Path) -> None:
    build = Counting()
    build.cached(tmp_path)
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    file.write_bytes(file.read_bytes()[:-20])
    assert build.cached(tmp_path).rule("data.t.n")({}) == 1.5
    assert build.count == 2


def test_without_a_folder_nothing_is_kept() -> None:
    build = Counting()
    for _ in range(2):
        rego.cached(build, cache=rego.program_cache(None), sources=[build.source])
    assert build.count == 2
