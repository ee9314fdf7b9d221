"""What went wrong in a text, as diagnostics: libyaml's messages, translated and explained."""

from __future__ import annotations

from typing import Any, Final

from sekisho.diag import Diagnostic, Level, Span
from sekisho.manifest import codes
from sekisho.manifest.build import BuildError, Remark
from sekisho.manifest.document import Chunk

HELP: Final = (
    ("found character that cannot start any token", "quote a value that begins with @, ` or %"),
    ("mapping values are not allowed", "a key may be indented wrongly, or a value with a colon needs quotes"),
    (
        "could not find expected ':'",
        "a line above may lack its colon, or be indented less than its neighbours",
    ),
    ("did not find expected key", "a line is indented less, or more, than its neighbours"),
    ("did not find expected '-' indicator", "the items of a list must be indented alike"),
    ("found unexpected end of stream", "a quote or a bracket is not closed"),
    ("did not find expected ',' or", "a list or mapping in brackets lacks a comma, or is not closed"),
    ("found unknown escape character", "use single quotes, or write the backslash twice"),
    (
        "block sequence entries are not allowed",
        "a list must begin on a line of its own, or stand in brackets",
    ),
)
"""Beginnings of libyaml's messages, and what they usually come from."""

TAB_HELP: Final = "indent with spaces: YAML forbids tabs"


def yaml_problem(chunk: Chunk, error: Any) -> Diagnostic:
    """What libyaml says, at its place in the file."""
    mark = getattr(error, "problem_mark", None)
    source = chunk.source
    if mark is None:
        offset = chunk.start + (getattr(error, "position", 0) or 0)
        message = f"malformed YAML: {getattr(error, 'reason', None) or str(error).splitlines()[0]}"
        place = Span(source, offset, offset)
        help = "remove the control character, or escape it in double quotes"
        return Diagnostic(code=codes.SYNTAX, message=message, at=place, help=help)
    offset = min(chunk.start + mark.index, len(source.text))
    problem = str(error.problem or "it cannot be parsed")
    message = f"malformed YAML: {problem}"
    help = next((text for beginning, text in HELP if problem.startswith(beginning)), "")
    tab = _tab(chunk, offset)
    if tab is not None:
        offset, message, help = tab, "malformed YAML: a tab is used for indentation", TAB_HELP
    found = Diagnostic(code=codes.SYNTAX, message=message, at=Span(source, offset, offset), help=help)
    context, begins = getattr(error, "context", None), getattr(error, "context_mark", None)
    if context and begins is not None:
        at = min(chunk.start + begins.index, len(source.text))
        found = found.with_note(str(context), Span(source, at, at))
    return found


def _tab(chunk: Chunk, offset: int) -> int | None:
    """A tab in the indentation of the line at an offset, or of one of the lines just before it."""
    source = chunk.source
    line = source.position(offset).line
    for number in (line, line - 1):
        text = source.line(number)
        blank = text[: len(text) - len(text.lstrip(" \t"))]
        if "\t" in blank and text.strip():
            return source.offset(number, blank.index("\t") + 1)
    return None


def build_problem(chunk: Chunk, error: BuildError) -> Diagnostic:
    """What no value can be built of."""
    offset = chunk.start + error.mark.index
    place = Span(chunk.source, offset, offset)
    return Diagnostic(code=error.code, message=error.message, at=place, help=error.help)


def remark_problem(chunk: Chunk, remark: Remark) -> Diagnostic:
    """What is odd and has a value all the same."""
    offset = chunk.start + remark.mark.index
    end = offset + len(remark.first)
    place = Span(chunk.source, offset, end)
    return Diagnostic(code=remark.code, level=Level.WARNING, message=remark.message, at=place)
