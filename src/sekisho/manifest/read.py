"""From text to documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Level, Source, Span
from sekisho.manifest import codes
from sekisho.manifest.document import Chunk, Document
from sekisho.manifest.quick import GIVEN_UP, quick

_FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"
    "|(?<![^\n\r\x85\u2028\u2029])\ufeff"
)
"""What YAML does not allow anywhere, and a byte order mark that begins another line than the first."""

_SPACE: Final = " \t\r\n"
_LIKE_JSON: Final = re.compile(r"[\s]*(?:\[\s*)*\{\s*\"")
_NO_JSON: Final = Diagnostic(code=codes.SYNTAX, message="the text does not begin like JSON")

_MARK: Final = "---"
_MARK_LINE: Final = "\n---"
_AFTER_MARK: Final = frozenset(("", *_SPACE))
_MARK_REST: Final = re.compile(r"[ \t]*(?:(?<=[ \t])#[^\n]*)?(?:\r?\n|\Z)")
"""What may stand behind a mark so that the next line begins a bare document."""


@dataclass(slots=True, kw_only=True)
class Read:
    """One source, its documents, and what is wrong with it. A broken document hides no other."""

    source: Source
    documents: list[Document] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    lists: bool = True


def load(source: Source, *, lists: bool = True) -> list[Document]:
    """The documents of a text; raises DiagnosticError (SRC001-SRC014) if one cannot be read.

    Documents without content are left out. Warnings are left to ``parse``.
    """
    read = parse(source, lists=lists)
    errors = [problem for problem in read.problems if problem.level is Level.ERROR]
    if errors:
        raise DiagnosticError(errors)
    return read.documents


def parse(source: Source, *, lists: bool = True) -> Read:
    """The documents of a text and everything that is wrong with it; never raises for what the text is.

    ``lists`` makes each item of a ``kind: List`` a document; without it a List is a document as it is.
    """
    text = source.text
    read = Read(source=source, lists=lists)
    begin = text[:64].lstrip(_SPACE)[:1] or text.lstrip(_SPACE)[:1]
    problem = _parse_json(read) if begin in ("{", "[") else _NO_JSON
    if problem is None:
        return read
    if problem is not _NO_JSON and (problem.code is codes.TOO_DEEP or source.name.endswith(".json")):
        read.problems.append(problem)
        return read
    for start, end, alone in _stretches(text):
        _parse_yaml(read, start, end, alone)
    if problem is not _NO_JSON and read.problems and not read.documents and _LIKE_JSON.match(text):
        read.problems = [problem]
    return read


def _parse_json(read: Read) -> Diagnostic | None:
    """Read JSON; why it is none, if it is none: it may be YAML."""
    from sekisho.manifest.jsontext import JsonError, parse_json

    source = read.source
    try:
        values = parse_json(source.text)
    except JsonError as error:
        place = Span(source, error.at, min(error.at + 1, len(source.text)))
        code = codes.TOO_DEEP if error.deep else codes.SYNTAX
        return Diagnostic(code=code, message=error.message, at=place)
    for value in values:
        chunk = Chunk(source=source, start=value.start, end=value.end, json=True)
        if value.value is not None:
            _add(read, chunk, value.value)
        if value.odd:
            read.problems += _remarks(chunk)
    return None


def _stretches(text: str) -> Iterator[tuple[int, int, bool]]:
    """The stretches of YAML that can be read by themselves, and whether each is a document without marks.

    A ``---`` at the beginning of a line ends a document whatever stands before it. Directives belong to the
    document behind them, and ``...`` allows bare documents: a text that may have them is not cut.
    """
    if text.startswith(("%", "...")) or "\n%" in text or "\n..." in text:
        yield 0, len(text), False
        return
    start, alone = 0, True
    while start < len(text):
        end = _next_mark(text, start if alone else start + len(_MARK))
        if start < end:
            yield start, end, alone
        rest = _MARK_REST.match(text, end + len(_MARK))
        start, alone = (rest.end(), True) if rest else (end, False)


def _next_mark(text: str, start: int) -> int:
    """The offset of the first ``---`` that begins a line and stands alone, or of the end of the text."""
    end = len(text)
    found = start if text.startswith(_MARK, start) else text.find(_MARK_LINE, start) + 1 or end
    while found < end and text[found + len(_MARK) : found + len(_MARK) + 1] not in _AFTER_MARK:
        found = text.find(_MARK_LINE, found) + 1 or end
    return found


def _parse_yaml(read: Read, start: int, end: int, alone: bool) -> None:
    text = read.source.text[start:end]
    value = quick(text) if alone else GIVEN_UP
    if value is GIVEN_UP:
        _parse_thoroughly(read, start, text)
    elif value is not None:
        _add(read, Chunk(source=read.source, start=start, end=end, plain=True), value)


def _parse_thoroughly(read: Read, base: int, text: str) -> None:
    from yaml import YAMLError

    from sekisho.manifest.build import Builder, BuildError
    from sekisho.manifest.syntax import build_problem, control_problem, yaml_problem

    source = read.source
    if text.startswith("\ufeff"):  # libyaml does not count it
        base, text = base + 1, text[1:]
    forbidden = _FORBIDDEN.search(text)
    if forbidden is not None:
        read.problems.append(control_problem(source, base + forbidden.start()))
        return
    builder = Builder(text)
    problem = None
    try:
        builder.run()
    except BuildError as error:
        problem = build_problem(source, base, error)
    except YAMLError as error:
        problem = yaml_problem(source, base, text, error)
    for built in builder.documents:
        chunk = Chunk(source=source, start=base + built.start, end=base + built.end)
        _add(read, chunk, built.value)
        if built.odd:
            read.problems += _remarks(chunk)
    if problem is not None:
        read.problems.append(problem)


def _add(read: Read, chunk: Chunk, value: Any) -> None:
    """Add a document; the items of a List, at any depth, are documents of their own."""
    documents = read.documents
    if not read.lists or type(value) is not dict or not _is_list(value):
        documents.append(Document(value=value, chunk=chunk, index=len(documents)))
        return
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    while stack:
        value, prefix = stack.pop()
        if type(value) is dict and _is_list(value):
            rows = [(_typed(item, value), (*prefix, "items", at)) for at, item in enumerate(value["items"])]
            stack.extend(reversed(rows))
        else:
            documents.append(Document(value=value, chunk=chunk, index=len(documents), prefix=prefix))


def _is_list(value: dict[str, Any]) -> bool:
    kind = value.get("kind")
    return type(kind) is str and kind.endswith("List") and type(value.get("items")) is list


def _typed(item: Any, list_: dict[str, Any]) -> Any:
    """An item of a typed list (PodList) need not say its kind: it is the list's, as Kubernetes has it."""
    kind = list_["kind"].removesuffix("List")
    if type(item) is not dict or not kind or "kind" in item or "apiVersion" in item:
        return item
    return {"apiVersion": list_.get("apiVersion", ""), "kind": kind, **item}


def _remarks(chunk: Chunk) -> list[Diagnostic]:
    """Keys that stand twice in one mapping, each with both places."""
    found = []
    for repeated in chunk.repeated():
        first = chunk.span(repeated.first.start, repeated.first.end)
        second = chunk.span(repeated.second.start, repeated.second.end)
        if repeated.merged:
            code, help = codes.MERGE_ORDER, "write << before the keys that are to win"
            message = f'this merge key overrides "{repeated.key}" above it; in other readers the key wins'
        else:
            code, help = codes.DUPLICATE_KEY, "remove one of them"
            message = f'the key "{repeated.key}" stands twice in this mapping; the last one holds'
        remark = Diagnostic(code=code, level=Level.WARNING, message=message, at=second, help=help)
        found.append(remark.with_note("it stands here too", first))
    return found
