"""What libyaml finds wrong, in words that say what to do, at the line that is at fault."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, Source, Span
from sekisho.manifest import codes
from sekisho.manifest.build import BuildError


@dataclass(frozen=True, slots=True)
class Rule:
    """How one of libyaml's messages, known by its beginning, is told.

    ``begin`` means that the fault is where the construct begins (an open quote), not where libyaml noticed.
    """

    problem: str
    message: str
    help: str = ""
    begin: bool = False


_ALIGN: Final = "keys of one mapping, and dashes of one list, stand in the same column"

_KEY_PROBLEM: Final = "did not find expected key"
_BEHIND_QUOTE: Final = Rule(
    _KEY_PROBLEM,
    "text stands behind the closing quote",
    "double the quotes inside a value in single quotes, put a backslash before them in double quotes, "
    "or close a quote that begins above",
)
_CONTENT_PROBLEM: Final = "did not find expected node content"
_ENDED: Final = Rule(_CONTENT_PROBLEM, "the document ends here, and a bracket is still open", "close it")
_LONGEST_KEY: Final = 1_024

RULES: Final = (
    Rule(
        "found character that cannot start any token",
        "a plain value cannot begin with this character",
        "put the value in quotes",
    ),
    Rule(
        "block sequence entries are not allowed",
        "a list item cannot stand here",
        "begin the list on a line of its own below its key",
    ),
    Rule(
        "could not find expected ':'",
        "this line is neither a key with a colon nor a part of the value above",
        "write key: value with a space behind the colon, or indent the line below its key",
        begin=True,
    ),
    Rule(_KEY_PROBLEM, "a key should stand here, in the column of the keys above", _ALIGN),
    Rule(
        "did not find expected '-' indicator", "a dash should stand here, as before the items above", _ALIGN
    ),
    Rule(
        "did not find expected ',' or ']'",
        "the list in brackets is not closed",
        "add a comma or ]",
        begin=True,
    ),
    Rule(
        "did not find expected ',' or '}'",
        "the mapping in braces is not closed",
        "add a comma or }",
        begin=True,
    ),
    Rule(
        "did not find expected node content",
        "a value should stand here",
        "put it in quotes if it is meant as text",
    ),
    Rule(
        "found unexpected end of stream",
        "the quote that begins here is not closed",
        "close it, or remove it",
        begin=True,
    ),
    Rule(
        "found unexpected document indicator",
        "the quote that begins here is not closed before the next document",
        "close it, or indent the text inside it",
        begin=True,
    ),
    Rule(
        "did not find expected alphabetic or numeric character",
        "* and & begin an alias or an anchor, and no name follows",
        "put the value in quotes",
        begin=True,
    ),
    Rule(
        "found unknown escape character",
        "this backslash escapes nothing that YAML knows",
        "use single quotes, or write the backslash twice",
    ),
    Rule("did not find expected hexdecimal number", "hexadecimal digits should follow the escape"),
    Rule(
        "found invalid Unicode character escape code",
        "this escape is half of a surrogate pair, which is no character",
        "write the character itself, or \\\\U and eight digits",
    ),
    Rule(
        "found undefined tag handle",
        "this tag begins with a handle that no %TAG line defines",
        "remove the tag",
    ),
    Rule(
        "did not find expected comment or line break",
        "nothing may follow the sign of a block of text on its line",
    ),
    Rule(
        "found unexpected ':'",
        "a colon in brackets needs a space behind it",
        "write {key: value}, or use quotes",
    ),
    Rule("found an indentation indicator equal to 0", "a block of text is indented by at least one space"),
    Rule(
        "found unknown directive name",
        "YAML has no such directive; a line that begins with % is one",
        "indent it",
    ),
    Rule("found incompatible YAML document", "this version of YAML cannot be read", "remove the %YAML line"),
    Rule(
        "did not find expected <document start>",
        "this does not belong to the document above",
        "indent it like that document's first line, or begin a new document with --- on a line of its own",
    ),
)

_TAB_PROBLEM: Final = "found a tab character"
_COLON_PROBLEM: Final = "mapping values are not allowed"
_GLUED: Final = re.compile(r"( *(?:- +)*)([\w./-]+):([^\s:/][^:]*)\Z")
_ONLY_KEY: Final = re.compile(r" *(?:- +)*[^\s:#][^:#]*\Z")
_TEMPLATE: Final = re.compile(r"\{\{-?[ .$a-zA-Z\"]")

TEMPLATE_HELP: Final = "this looks like a template, such as Helm's: render it, and check what comes out"


def yaml_problem(source: Source, base: int, text: str, error: Any) -> Diagnostic:
    """A ``yaml.YAMLError`` of a text that begins at ``base`` in its source, as a diagnostic."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    offset = base + mark.index if mark is not None else base
    ended = not text[offset - base :].strip()
    if ended:
        offset = base + max(0, len(text.rstrip()) - 1)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    tab = _tab(source, base, offset, problem)
    if tab is not None:
        help = "indent with spaces"
        return _diagnostic(codes.TAB, source, tab, "a tab stands where YAML wants spaces", help)
    if problem.startswith(_COLON_PROBLEM):
        offset, message, help = _colon(source, offset)
        return _diagnostic(codes.SYNTAX, source, offset, message, _or_template(source, offset, help))
    rule = next((rule for rule in RULES if problem.startswith(rule.problem)), Rule(problem, problem))
    if ended and rule.problem == _CONTENT_PROBLEM:
        rule = _ENDED
    elif rule.problem == _KEY_PROBLEM and source.text[:offset].rstrip(" ").endswith(("'", '"')):
        rule = _BEHIND_QUOTE
    begin = getattr(error, "context_mark", None)
    noticed = offset
    if rule.begin and begin is not None:
        offset = base + begin.index
        if (
            not ended
            and "not closed" in rule.message
            and source.position(noticed).line == source.position(offset).line
        ):
            offset = noticed
    help = _or_template(source, offset, rule.help)
    found = _diagnostic(codes.SYNTAX, source, offset, rule.message, help)
    if source.position(noticed).line > source.position(offset).line + 1 and not ended:
        found = found.with_note("it was noticed here", _span(source, noticed))
    return found


def build_problem(source: Source, base: int, error: BuildError) -> Diagnostic:
    """What no value can be built of."""
    place = _line_part(source, base + error.start, base + error.end)
    return Diagnostic(code=error.code, message=error.message, at=place, help=error.help)


def control_problem(source: Source, offset: int) -> Diagnostic:
    """A character that YAML does not allow."""
    code = ord(source.text[offset])
    message = f"the character U+{code:04X} is not allowed in YAML"
    help = "remove it, or write it as an escape in double quotes"
    return _diagnostic(codes.CONTROL, source, offset, message, help)


def _colon(source: Source, offset: int) -> tuple[int, str, str]:
    """What is wrong about a colon that YAML cannot take for the end of a key: place, message, help."""
    at = source.position(offset)
    before = source.line(at.line)[: at.column - 1]
    above = source.line(at.line - 1)
    glued = _GLUED.match(above)
    if glued and _ONLY_KEY.match(before):
        place = source.offset(at.line - 1, glued.end(2) + 1)
        return place, "there is no space behind this colon", "write key: value"
    if len(before) > _LONGEST_KEY and _ONLY_KEY.match(before):
        return (
            offset,
            f"a key has at most {_LONGEST_KEY:,} characters",
            "begin it with a question mark and a space",
        )
    if _ONLY_KEY.match(before):
        indent = len(before) - len(before.lstrip(" "))
        help = "indent it like the key above, or give that key no value"
        return (
            source.offset(at.line, indent + 1),
            "a key cannot stand here: the line above has a value already",
            help,
        )
    help = "put the whole value in quotes if the colon belongs to it"
    return offset, "a second colon on this line looks like one more key", help


def _tab(source: Source, base: int, offset: int, problem: str) -> int | None:
    """The tab that is at fault, if one is: at the place itself, or in the indentation there or just above."""
    text = source.text
    if problem.startswith(_TAB_PROBLEM) or text[offset : offset + 1] == "\t":
        at = text.find("\t", offset)
        return at if at >= 0 else offset
    last = source.position(offset).line
    for number in (last, last - 1):
        line = source.line(number)
        blank = line[: len(line) - len(line.lstrip(" \t"))]
        at = source.offset(number, blank.find("\t") + 1)
        if "\t" in blank and line.strip() and at >= base:
            return at
    return None


def _or_template(source: Source, offset: int, help: str) -> str:
    line = source.line(source.position(offset).line)
    return TEMPLATE_HELP if _TEMPLATE.search(line) else help


def _diagnostic(code: Code, source: Source, offset: int, message: str, help: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, at=_span(source, offset), help=help)


def _span(source: Source, offset: int) -> Span:
    """One character, or none at the end of a line."""
    text = source.text
    return Span(source, offset, offset + (offset < len(text) and text[offset] not in "\r\n"))


def _line_part(source: Source, start: int, end: int) -> Span:
    """A stretch, without what is past its first line."""
    break_ = source.text.find("\n", start, end)
    return Span(source, start, break_ if break_ >= 0 else end)
