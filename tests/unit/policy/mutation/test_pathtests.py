from __future__ import annotations

import pytest

from sekisho.policy.mutation.location import parse_location
from sekisho.policy.mutation.pathtests import PathTestError, PathTests, path_tests


def made(location: str, *rows: tuple[str, str]) -> PathTests:
    return path_tests(parse_location(location), [(parse_location(path), word) for path, word in rows])


FITTING = [
    ("twice the same, must", [("a.b.c", "MustExist"), ("a.b.c", "MustExist")]),
    ("twice the same, must not", [("a.b.c", "MustNotExist"), ("a.b.c", "MustNotExist")]),
    ("parent must, child must not", [("a.b", "MustExist"), ("a.b.c", "MustNotExist")]),
    ("the same in the other order", [("a.b.c", "MustNotExist"), ("a.b", "MustExist")]),
    ("all must", [("a.b.c", "MustExist"), ("a", "MustExist"), ("a.b", "MustExist")]),
    ("the root is always there", [("", "MustNotExist"), ("a", "MustExist")]),
]


@pytest.mark.parametrize("rows", [row[1] for row in FITTING], ids=[row[0] for row in FITTING])
def test_fitting(rows: list[tuple[str, str]]) -> None:
    made("a.b.c", *rows)


WRONG = [
    (
        "no prefix",
        [("a.x", "MustExist")],
        'all subpaths must be a prefix of the `location` value of the mutation: subpath "a.x" is not a prefix of location "a.b.c.d"',
        0,
    ),
    (
        "both on one path",
        [("a.b", "MustExist"), ("a.b", "MustNotExist")],
        'conflicting path test conditions: path "a.b" is marked both MustExist and MustNotExist',
        1,
    ),
    (
        "parent must not, child must",
        [("a.b", "MustNotExist"), ("a.b.c", "MustExist")],
        'conflicting path test conditions: path "a.b.c" is marked MustExist but parent "a.b" MustNotExist',
        1,
    ),
    (
        "grandparent must not, grandchild must",
        [("a.b", "MustNotExist"), ("a.b.c.d", "MustExist")],
        'conflicting path test conditions: path "a.b.c.d" is marked MustExist but parent "a.b" MustNotExist',
        1,
    ),
    (
        "the same in the other order",
        [("a.b.c", "MustExist"), ("a", "MustExist"), ("a.b", "MustNotExist")],
        'conflicting path test conditions: path "a.b.c" is marked MustExist but parent "a.b" MustNotExist',
        2,
    ),
    ("no condition", [("a.b", "")], " is not a valid path test condition", 0),
]


@pytest.mark.parametrize(
    ("rows", "message", "index"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_wrong(rows: list[tuple[str, str]], message: str, index: int) -> None:
    with pytest.raises(PathTestError) as found:
        made("a.b.c.d", *rows)
    assert (str(found.value), found.value.index) == (message, index)


def test_only_the_depths_that_are_named_are_tested() -> None:
    tests = made("a.b.c.d.e", ("a.b.c", "MustExist"), ("a.b.c.d.e", "MustNotExist"))
    assert [depth for depth in range(10) if not tests.pass_(depth, exists=True)] == [4]
    assert [depth for depth in range(10) if not tests.pass_(depth, exists=False)] == [2]
