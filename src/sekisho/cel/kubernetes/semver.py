"""Kubernetes' semver library, versions 0 and 1 (which can normalize first).

Facts from k8s.io/apiserver ``pkg/cel/library/semverlib.go`` and github.com/blang/semver, whose words these
are; the specification is semver.org's, 2.0.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.functions import Overload
from sekisho.cel.kubernetes.costs import priced
from sekisho.cel.library import Library
from sekisho.cel.types import BOOL, INT, STRING, struct
from sekisho.cel.values import UINT_MAX, OpaqueValue, Value
from sekisho.lang.golang.gotext import quote

SEMVER: Final = struct("kubernetes.Semver")

LATEST: Final = 1
"""The newest version."""

_DIGITS: Final = frozenset("0123456789")
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789")


@dataclass(frozen=True, slots=True)
class Version:
    """A version. Numbers of a pre-release are int, its words str."""

    major: int
    minor: int
    patch: int
    pre: tuple[int | str, ...] = ()
    build: tuple[str, ...] = ()

    def compare(self, other: Version) -> int:
        """-1, 0 or 1; build metadata does not count."""
        a, b = (self.major, self.minor, self.patch), (other.major, other.minor, other.patch)
        if a != b:
            return 1 if a > b else -1
        if not self.pre or not other.pre:
            return bool(other.pre) - bool(self.pre)
        left, right = _ranks(self.pre), _ranks(other.pre)
        return (left > right) - (left < right)

    def __str__(self) -> str:
        pre = f"-{'.'.join(map(str, self.pre))}" if self.pre else ""
        build = f"+{'.'.join(self.build)}" if self.build else ""
        return f"{self.major}.{self.minor}.{self.patch}{pre}{build}"


def _ranks(parts: tuple[int | str, ...]) -> list[tuple[bool, int, str]]:
    """Numbers come before words, and a shorter list before its continuation."""
    return [(True, 0, part) if isinstance(part, str) else (False, part, "") for part in parts]


class SemverValue(OpaqueValue):
    """A version."""

    __slots__ = ("version",)
    cel_type = SEMVER

    def __init__(self, version: Version) -> None:
        self.version = version

    def equals(self, other: Value) -> bool:
        """Whether neither is newer."""
        return isinstance(other, SemverValue) and self.version.compare(other.version) == 0

    def __str__(self) -> str:
        return str(self.version)


# --- reading ----------------------------------------------------------------------------------------------


def parse(text: str) -> Version:
    """The version that a text means. Raises CelError."""
    if not text:
        raise CelError("Version string empty")
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise CelError("No Major.Minor.Patch elements found")
    major, minor = _number("major", parts[0]), _number("minor", parts[1])
    rest, plus, build = parts[2].partition("+")
    patch, dash, pre = rest.partition("-")
    return Version(
        major,
        minor,
        _number("patch", patch),
        tuple(map(_pre, pre.split("."))) if dash else (),
        tuple(map(_build, build.split("."))) if plus else (),
    )


def _number(what: str, text: str) -> int:
    if not _DIGITS.issuperset(text):
        raise CelError(f"Invalid character(s) found in {what} number {quote(text)}")
    if len(text) > 1 and text[0] == "0":
        raise CelError(f"{what.title()} number must not contain leading zeroes {quote(text)}")
    return _uint(text)


def _uint(digits: str) -> int:
    if not digits:
        raise CelError('strconv.ParseUint: parsing "": invalid syntax')
    if len(digits) > 20 or int(digits) > UINT_MAX:
        raise CelError(f"strconv.ParseUint: parsing {quote(digits)}: value out of range")
    return int(digits)


def _pre(text: str) -> int | str:
    if not text:
        raise CelError("Prerelease is empty")
    if _DIGITS.issuperset(text):
        if len(text) > 1 and text[0] == "0":
            raise CelError(f"Numeric PreRelease version must not contain leading zeroes {quote(text)}")
        return _uint(text)
    if not _WORD.issuperset(text):
        raise CelError(f"Invalid character(s) found in prerelease {quote(text)}")
    return text


def _build(text: str) -> str:
    if not text:
        raise CelError("Build meta data is empty")
    if not _WORD.issuperset(text):
        raise CelError(f"Invalid character(s) found in build meta data {quote(text)}")
    return text


def normalized(text: str) -> str:
    """A text without a leading v and leading zeros, filled up to three numbers. Raises CelError."""
    parts = text.removeprefix("v").split(".", 2)
    for index, part in enumerate(parts):
        if len(part) > 1:
            bare = part.lstrip("0")
            parts[index] = bare if bare and bare[0] in _DIGITS else f"0{bare}"
    if len(parts) < 3:
        if set("+-") & set(parts[-1]):
            raise CelError("short version cannot contain PreRelease/Build meta data")
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts)


def _semver(text: str, normalize: bool = False) -> SemverValue:
    return SemverValue(parse(normalized(text) if normalize else text))


def _is_semver(text: str, normalize: bool = False) -> bool:
    try:
        _semver(text, normalize)
    except CelError:
        return False
    return True


# --- the rows ---------------------------------------------------------------------------------------------


def _is_greater(left: SemverValue, right: SemverValue) -> bool:
    return left.version.compare(right.version) > 0


def _is_less(left: SemverValue, right: SemverValue) -> bool:
    return left.version.compare(right.version) < 0


def _compare(left: SemverValue, right: SemverValue) -> int:
    return left.version.compare(right.version)


def _signed(number: int) -> int:
    """As Kubernetes converts a number: beyond 63 bits it turns negative."""
    return number - UINT_MAX - 1 if number >> 63 else number


def _major(value: SemverValue) -> int:
    return _signed(value.version.major)


def _minor(value: SemverValue) -> int:
    return _signed(value.version.minor)


def _patch(value: SemverValue) -> int:
    return _signed(value.version.patch)


_TWO: Final = (SEMVER, SEMVER)

_ROWS: Final = (
    Overload(
        id="string_to_semver",
        function="semver",
        params=(STRING,),
        result=SEMVER,
        call=_semver,
        note="1.2.3-rc.1+build; strict",
    ),
    Overload(
        id="is_semver_string",
        function="isSemver",
        params=(STRING,),
        result=BOOL,
        call=_is_semver,
        note="whether semver() takes it",
    ),
    Overload(
        id="semver_is_greater_than",
        function="isGreaterThan",
        params=_TWO,
        result=BOOL,
        call=_is_greater,
        member=True,
    ),
    Overload(
        id="semver_is_less_than",
        function="isLessThan",
        params=_TWO,
        result=BOOL,
        call=_is_less,
        member=True,
    ),
    Overload(
        id="semver_compare_to",
        function="compareTo",
        params=_TWO,
        result=INT,
        call=_compare,
        member=True,
        note="-1, 0 or 1",
    ),
    Overload(id="semver_major", function="major", params=(SEMVER,), result=INT, call=_major, member=True),
    Overload(id="semver_minor", function="minor", params=(SEMVER,), result=INT, call=_minor, member=True),
    Overload(id="semver_patch", function="patch", params=(SEMVER,), result=INT, call=_patch, member=True),
)

_NORMALIZING: Final = (
    Overload(
        id="string_bool_to_semver",
        function="semver",
        params=(STRING, BOOL),
        result=SEMVER,
        call=_semver,
        note="with true, v1.2 means 1.2.0",
    ),
    Overload(
        id="is_semver_string_bool",
        function="isSemver",
        params=(STRING, BOOL),
        result=BOOL,
        call=_is_semver,
        note="whether semver() takes it so",
    ),
)


def semver(version: int = LATEST) -> Library:
    """The library in a version."""
    rows = priced((*_ROWS, *(_NORMALIZING if version >= 1 else ())))
    return Library(name="kubernetes.Semver", overloads=rows, version=version)
