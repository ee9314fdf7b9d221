"""What is wrong with an expression, in cel-go's words and form.

ERROR: <input>:1:5: undeclared reference to 'x' (in container '')
 | a + x
 | ....^
"""

from __future__ import annotations

from typing import Final

from sekisho.cel import codes
from sekisho.diag import Code, Diagnostic, DiagnosticError, Source, Span

MOST: Final = 100
"""Problems that are told of one expression, as many as cel-go tells."""

_SNIPPET: Final = 16_384
"""Characters of the longest line that is shown."""


class Problems:
    """The problems of one expression."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: list[tuple[int, int, Code, str]] = []
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def apart(self) -> Problems:
        """Problems of the same expression that are not told with these."""
        return Problems(self._source)

    def add(self, code: Code, message: str, start: int, end: int = -1) -> None:
        """Note a problem at a stretch of the source."""
        self._count += 1
        if self._count <= MOST:
            self._found.append((start, max(start, end), code, message))

    def syntax(self, start: int, message: str, end: int = -1) -> None:
        """Note that the text is not as the grammar says."""
        self.add(codes.SYNTAX, f"Syntax error: {message}", start, end)

    def error(self) -> DiagnosticError:
        """The exception that tells them all, in the order of the text."""
        return DiagnosticError([self._diagnostic(*row) for row in sorted(self._found, key=lambda r: r[0])])

    def too_deep(self) -> DiagnosticError:
        """The exception for an expression that is nested too deeply to go through."""
        message = "max recursion depth exceeded"
        return DiagnosticError(self._diagnostic(0, len(self._source.text), codes.TOO_DEEP, message))

    def _diagnostic(self, start: int, end: int, code: Code, message: str) -> Diagnostic:
        span = Span(self._source, start, end)
        return Diagnostic(code=code, message=message, at=span, data={"cel": display(span, message)})


def display(span: Span, message: str, name: str = "<input>") -> str:
    """An error as cel-go displays it: position, message, source line, caret."""
    if not span.source.text:
        return f"ERROR: {name}:1:0: {message}"
    line, column = span.begins
    shown = span.source.line(line).replace("\t", " ")
    head = f"ERROR: {name}:{line}:{column}: {message}"
    if len(shown) > _SNIPPET:
        return head
    dots = "".join("\uff0e" if ord(c) > 127 else "." for c in shown[: column - 1])
    caret = "\uff3e" if shown[column - 1 : column] > "\x7f" else "^"
    return f"{head}\n | {shown}\n | {dots}{caret}"


def display_all(error: DiagnosticError, name: str = "<input>") -> str:
    """All problems of an expression as cel-go displays them."""
    lines = []
    for diagnostic in error.diagnostics:
        if isinstance(diagnostic.at, Span):
            lines.append(display(diagnostic.at, diagnostic.message, name))
        else:
            lines.append(f"ERROR: {name}: {diagnostic.message}")
    return "\n".join(lines)
