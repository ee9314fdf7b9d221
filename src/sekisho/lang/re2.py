"""Regular expressions of policy languages: RE2, which Rego, CEL and Go mean, in linear time.

The engine is Google's, through its Python wheel, imported at the first use. ``compile`` keeps the last
``CACHE`` patterns. Matches work on the UTF-8 bytes of a text, as the engine does; ``find_all`` steps as Go's
FindAll does: no empty match right after another match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import Any, Final, TypeAlias

from sekisho.diag import Limit
from sekisho.lang.meter import Exhausted, Meter

CACHE: Final = 100
"""Patterns kept, as many as OPA keeps: each may come to take ``MEMORY``."""

MEMORY: Final = 8 << 20
"""Bytes that a compiled pattern and its automaton may take; a pattern that needs more is refused."""

WORK: Final = Limit(
    "a regular expression match",
    150_000_000,
    "instructions times bytes",
    "the worst take 7 ns each, and the engine cannot be stopped",
)

PATTERN: Final = Limit("a regular expression", 100_000, "characters", "nobody writes longer ones")

DEPTH: Final = Limit("nesting of groups", 1_000, "levels", "Go's limit")

Span: TypeAlias = tuple[int, int]
Groups: TypeAlias = list[Span]
"""Byte positions of a match and of its groups; (-1, -1) for a group that took no part."""


class PatternError(Exception):
    """A pattern is no RE2 expression. The message is Go's: ``error parsing regexp: …``."""


_MESSAGES: Final = {
    "invalid escape sequence": "invalid escape sequence",
    "invalid character class": "invalid character class",
    "invalid character class range": "invalid character class range",
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "unexpected )": "unexpected )",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid UTF-8": "invalid UTF-8",
    "invalid named capture group": "invalid named capture",
    "pattern too large - compile failed": "expression too large",
}
_SINGLE_BYTE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\C")
"""``\\C``, a single byte: the engine has it, Go refuses it."""


class Pattern:
    """A compiled expression."""

    __slots__ = ("_capture", "_last", "_match", "groups", "names", "size", "source")

    def __init__(self, source: str) -> None:
        import re2

        self.source = source
        text = source.encode("utf-8", "replace")
        try:
            compiled = re2.compile(text, _options(capture=True))
            # Whether a text matches takes an engine of its own: groups cost time, each of them.
            bare = re2.compile(text, _options(capture=False)) if compiled.groups else compiled
        except re2.error as error:
            raise PatternError(_message(error)) from None
        self._capture: Any = compiled._regexp.Match  # four times as fast as the public way
        self._match: Any = bare._regexp.Match
        self._last: tuple[str | None, bool] = (None, False)
        self.size: int = compiled.programsize
        """Instructions of the program."""
        self.groups: int = compiled.groups
        self.names: dict[str, int] = {name.decode(): index for name, index in compiled.groupindex.items()}

    def search(self, text: str, meter: Meter | None = None) -> bool:
        """Whether a part of the text matches. Asked again for the same text, as loops do, it remembers."""
        last = self._last
        if last[0] is text:
            return last[1]
        data = encode(text)
        self._pay(self.size * len(data), meter)
        span: Span = self._match(_unanchored(), data, 0, len(data))[0]
        found = span[0] >= 0
        if len(data) < _REMEMBERED:
            self._last = (text, found)
        return found

    def find_all(self, data: bytes, meter: Meter, limit: int = -1) -> Iterator[Groups]:
        """The matches from left to right, at most ``limit`` of them (negative: all)."""
        anchor, end = _unanchored(), len(data)
        at, previous = 0, -1
        while limit and at <= end:
            self._pay(self.size * (end - at) * (1 + self.groups), meter)
            groups: Groups = self._capture(anchor, data, at, end)
            start, stop = groups[0]
            if start < 0:
                return
            empty_again = stop == at and start == previous
            at = _next(data, at) if stop == at else stop
            previous = stop
            if not empty_again:
                limit -= 1
                yield groups

    def _pay(self, work: int, meter: Meter | None) -> None:
        """Pay for a match, which may look at all of the text with all of the program, for each group."""
        if work > WORK.value:
            raise Exhausted(WORK)
        if meter is not None:
            meter.charge(1 + (work >> _STEP))


_REMEMBERED: Final = 256
"""Bytes of the longest text that an expression holds on to."""

_STEP: Final = 14
"""A step is worth 2**14 units of work: a clock check in at most a second, in the worst case."""


def _next(data: bytes, at: int) -> int:
    """The position after the character at ``at``."""
    at += 1
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at += 1
    return at


def encode(text: str) -> bytes:
    """The bytes that the engine sees; what is not Unicode is U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text).encode()


_cache: Final[dict[str, Pattern]] = {}
_lock: Final = Lock()


def compile(pattern: str, meter: Meter | None = None) -> Pattern:
    """A pattern, compiled or out of the cache; ``meter`` pays for compiling.

    Raises PatternError, or Exhausted for a pattern over ``PATTERN``.
    """
    known = _cache.get(pattern)
    if known is not None:
        return known
    if len(pattern) > PATTERN.value:
        raise Exhausted(PATTERN)
    if meter is not None:
        meter.charge(1000 + len(pattern))
    if _depth(pattern) > DEPTH.value:
        raise PatternError(f"error parsing regexp: expression nests too deeply: `{pattern}`")
    if _SINGLE_BYTE.search(pattern) and r"\Q" not in pattern:
        raise PatternError("error parsing regexp: invalid escape sequence: `\\C`")
    new = Pattern(pattern)
    if meter is not None:
        meter.charge(new.size >> 3)
    with _lock:
        while len(_cache) >= CACHE:
            del _cache[next(iter(_cache))]
        _cache[pattern] = new
    return new


def quote_meta(text: str) -> str:
    """A pattern that matches just this text, escaped as Go's QuoteMeta does."""
    return _META.sub(r"\\\g<0>", text)


_META: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")


def _depth(pattern: str) -> int:
    """How deep groups nest; as good as exact, for a pattern that has many."""
    if pattern.count("(") <= DEPTH.value:
        return 0
    depth = deepest = 0
    for char in pattern:
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    return deepest


@lru_cache(maxsize=2)
def _options(*, capture: bool) -> Any:
    import re2

    options = re2.Options()
    options.never_capture = not capture
    options.log_errors = False
    options.max_mem = MEMORY
    return options


@lru_cache(maxsize=1)
def _unanchored() -> Any:
    import re2

    return re2._Anchor.UNANCHORED


def _message(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
    for known, go in _MESSAGES.items():
        if text == known:
            return f"error parsing regexp: {go}: ``"
        if text.startswith(f"{known}: "):
            return f"error parsing regexp: {go}: `{text[len(known) + 2 :]}`"
    return f"error parsing regexp: {text}"
