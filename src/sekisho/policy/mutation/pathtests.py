"""Path tests: which parts of a location must be there, or must not, for a mutation to happen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sekisho.policy.mutation.location import Location

MUST_EXIST: Final = "MustExist"
MUST_NOT_EXIST: Final = "MustNotExist"
CONDITIONS: Final = (MUST_EXIST, MUST_NOT_EXIST)


class PathTestError(Exception):
    """Tests that cannot be used. ``index`` is the row at fault."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


@dataclass(frozen=True, slots=True)
class PathTests:
    """What must hold at each depth of a location: true for there, false for not there."""

    wanted: Mapping[int, bool] = field(default_factory=dict)

    def pass_(self, depth: int, *, exists: bool) -> bool:
        """Whether the location may go on at this depth, of which ``exists`` says what was found."""
        return self.wanted.get(depth, exists) is exists


NO_TESTS: Final = PathTests()


def path_tests(location: Location, rows: Iterable[tuple[Location, str]]) -> PathTests:
    """The tests of a location, from sub-paths and conditions; raises PathTestError with Gatekeeper's texts.

    A test below one that must not exist can never hold. Gatekeeper compares the order in which such tests
    are written; here it is their depth that counts.
    """
    wanted: dict[int, bool] = {}
    paths: dict[int, Location] = {}
    for index, (path, condition) in enumerate(rows):
        if not location.starts_with(path):
            message = (
                "all subpaths must be a prefix of the `location` value of the mutation: "
                f'subpath "{path}" is not a prefix of location "{location}"'
            )
            raise PathTestError(message, index)
        if condition not in CONDITIONS:
            raise PathTestError(f"{condition} is not a valid path test condition", index)
        depth, exists = len(path.steps) - 1, condition == MUST_EXIST
        if depth < 0:
            continue  # the object itself, which nobody looks for
        if wanted.setdefault(depth, exists) is not exists:
            message = (
                f'conflicting path test conditions: path "{path}" is marked both MustExist and MustNotExist'
            )
            raise PathTestError(message, index)
        paths[depth] = path
        missing = [at for at, there in wanted.items() if not there]
        present = [at for at, there in wanted.items() if there]
        if missing and present and min(missing) < max(present):
            message = (
                f'conflicting path test conditions: path "{paths[max(present)]}" is marked MustExist '
                f'but parent "{paths[min(missing)]}" MustNotExist'
            )
            raise PathTestError(message, index)
    return PathTests(wanted)
