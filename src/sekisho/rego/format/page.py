"""The text in the making: lines, indentation, and the comments that are still to be written.

A comment is written as soon as something that stands behind it in the source is: on a line of its own before
what begins a line (``lead``), else at the end of the line that is being written (``end_line``). So no comment
can be lost, and none changes places with another, wherever it stands.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

from sekisho.rego.nodes import Comment, Module

INDENT: Final = "\t"


class Page:
    """What has been written, and where in the source that was.

    ``done`` is the offset up to which the source has been written; ``level`` the indentation in tabs.
    """

    __slots__ = ("begins", "comments", "done", "level", "lines", "next", "parts", "source", "text")

    def __init__(self, module: Module) -> None:
        self.source = module.source
        self.text = module.source.text
        self.comments: tuple[Comment, ...] = module.comments
        self.begins = [comment.start for comment in module.comments]
        self.next = 0  # number of the next comment
        self.lines: list[str] = []
        self.parts: list[str] = []  # of the line at hand
        self.level = 0
        self.done = 0

    def row(self, offset: int) -> int:
        """The line of an offset."""
        return self.source.position(offset).line

    def row_end(self, offset: int) -> int:
        """The offset at which the line of an offset ends."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end

    # --- text ---------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Go on with the line at hand; a new line is indented."""
        if not self.parts:
            self.parts.append(INDENT * self.level)
        self.parts.append(text)

    def reach(self, offset: int) -> None:
        """Note that the source has been written up to here."""
        self.done = max(self.done, offset)

    def end_line(self, limit: int) -> None:
        """End the line at hand, with the comment that belongs to it, if one stands before ``limit``."""
        if not self.parts:
            return
        comment = self._waiting(limit)
        if comment is not None and (
            comment.start < self.done or self.row(comment.start) == self.row(self.done)
        ):
            self.parts.append(f" {_text(comment)}")
            self.next += 1
            self.reach(comment.end)
        self.lines.append("".join(self.parts))
        self.parts.clear()

    def blank_line(self) -> None:
        """Leave a line free."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    # --- comments -----------------------------------------------------------------------------------------

    def lead(self, limit: int) -> None:
        """Write the comments before ``limit``, where a line is about to begin, each on its line.

        One blank line is kept where the source has some between two of them or after the last one.
        """
        last: Comment | None = None
        in_metadata = False
        while (comment := self._waiting(limit)) is not None:
            metadata = _is_metadata(comment)
            if last is not None:
                apart = self.row(comment.start) - self.row(last.start) > 1
                if apart or (in_metadata and metadata):
                    self.blank_line()
                in_metadata = in_metadata and not apart
            in_metadata = in_metadata or metadata
            self.write(_text(comment))
            self.lines.append("".join(self.parts))
            self.parts.clear()
            self.next += 1
            self.reach(comment.end)
            last = comment
        if last is not None and self.row(limit) - self.row(last.start) > 1:
            self.blank_line()

    def holds_comments(self, start: int, end: int, parts: Sequence[tuple[int, int]] = ()) -> bool:
        """Whether comments still to be written stand in a stretch of the source, outside of these parts."""
        low = max(self.next, bisect_left(self.begins, start))
        for at in self.begins[low : bisect_left(self.begins, end)]:
            part = bisect_right(parts, (at, at)) - 1
            if part < 0 or at >= parts[part][1]:
                return True
        return False

    def first_comment(self, start: int, end: int) -> int:
        """The offset of the first comment in a stretch of the source; its end if there is none."""
        at = bisect_left(self.begins, start)
        return min(self.begins[at], end) if at < len(self.begins) else end

    def _waiting(self, limit: int) -> Comment | None:
        if self.next < len(self.comments) and self.comments[self.next].start < limit:
            return self.comments[self.next]
        return None


def _text(comment: Comment) -> str:
    return f"#{comment.text}".rstrip()


def _is_metadata(comment: Comment) -> bool:
    return comment.text.strip() == "METADATA"
