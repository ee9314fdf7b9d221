"""Selectors written as text: ``a=b,c in (x,y),!d`` over labels, ``metadata.name=x`` over fields.

Grammar (apimachinery ``labels.Parse``), white space free between tokens:

    selector    = [ requirement { "," requirement } ]
    requirement = [ "!" ] KEY | KEY ( "=" | "==" | "!=" | ">" | "<" ) [ VALUE ] | KEY ( "in" | "notin" ) set
    set         = "(" [ VALUE ] { "," [ VALUE ] } ")"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from sekisho.diag import Diagnostic, DiagnosticError, Limit, ObjectPath, Path, Source, Span
from sekisho.kube import codes, fielderror
from sekisho.kube.names import label_key, label_value
from sekisho.kube.selectors import Operator, Requirement, Selector, parse_int64

if TYPE_CHECKING:
    from sekisho.kube.object import Object

LENGTH: Final = Limit("a selector", 64_000, "characters", "a URL of an API server is no longer")

_TOKEN: Final = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+|\Z)")
_SYMBOLS: Final = frozenset({"==", "!=", "=", "!", "(", ")", ",", "<", ">"})
_BINARY: Final = {
    "in": Operator.IN,
    "=": Operator.EQUALS,
    "==": Operator.DOUBLE_EQUALS,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
    "notin": Operator.NOT_IN,
    "!=": Operator.NOT_EQUALS,
}
_BINARY_TEXT: Final = "in, notin, =, ==, !=, gt, lt"
_ORDERED: Final = (Operator.GREATER_THAN, Operator.LESS_THAN)


class _Kind(Enum):
    WORD = auto()
    SYMBOL = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str

    def is_(self, *texts: str) -> bool:
        return self.kind is _Kind.SYMBOL and self.text in texts


class _SyntaxError(Exception):
    """What is wrong with the text; becomes a diagnostic at the entry function."""


def parse_selector(text: str, at: ObjectPath | None = None) -> Selector:
    """The selector over labels that a text means; raises DiagnosticError (KUB011)."""
    try:
        _check_length(text)
        requirements = _Parser(text).selector()
    except _SyntaxError as error:
        message = f'invalid selector "{fielderror.shown(text)[1:-1]}": {error}'
        raise DiagnosticError(
            Diagnostic(code=codes.BAD_SELECTOR_TEXT, message=message, at=_place(text, at))
        ) from None
    return Selector(tuple(sorted(requirements, key=lambda requirement: requirement.key)))


def _place(text: str, at: ObjectPath | None) -> ObjectPath | Span:
    """Where the fault is: the field that holds the text, or the text itself when it was typed."""
    return at or Span(Source("<selector>", text), 0, len(text))


def _check_length(text: str) -> None:
    if LENGTH.exceeded_by(len(text)):
        raise _SyntaxError(str(LENGTH))


class _Parser:
    """Recursive descent, one method a production of the grammar above."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def selector(self) -> list[Requirement]:
        found: list[Requirement] = []
        token = self._peek()
        if token.kind is _Kind.END:
            return found
        if token.kind is not _Kind.WORD and not token.is_("!"):
            raise _SyntaxError(f"found '{token.text}', expected: !, identifier, or 'end of string'")
        while True:
            try:
                found.append(self._requirement())
            except _SyntaxError as error:
                raise _SyntaxError(f"unable to parse requirement: {error}") from None
            token = self._next()
            if token.kind is _Kind.END:
                return found
            if not token.is_(","):
                raise _SyntaxError(f"found '{token.text}', expected: ',' or 'end of string'")
            token = self._peek()
            if token.kind is not _Kind.WORD and not token.is_("!"):
                raise _SyntaxError(f"found '{token.text}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        negated = self._peek().is_("!")
        if negated:
            self._next()
        token = self._next()
        if token.kind is not _Kind.WORD:
            raise _SyntaxError(f"found '{token.text}', expected: identifier")
        key = token.text
        wrong = label_key(key)
        if wrong:
            raise _SyntaxError(fielderror.invalid((), key, "; ".join(wrong)))
        if negated:
            return Requirement(key=key, operator=Operator.DOES_NOT_EXIST)
        if self._peek().kind is _Kind.END or self._peek().is_(","):
            return Requirement(key=key, operator=Operator.EXISTS)
        token = self._next()
        operator = _BINARY.get(token.text)
        if operator is None:
            raise _SyntaxError(f"found '{token.text}', expected: {_BINARY_TEXT}")
        values = self._set() if operator in (Operator.IN, Operator.NOT_IN) else {self._value()}
        requirement = Requirement(key=key, operator=operator, values=tuple(sorted(values)))
        _check_values(requirement)
        return requirement

    def _value(self) -> str:
        token = self._peek()
        if token.kind is _Kind.END or token.is_(","):
            return ""
        self._next()
        if token.kind is not _Kind.WORD:
            raise _SyntaxError(f"found '{token.text}', expected: identifier")
        return token.text

    def _set(self) -> set[str]:
        token = self._next()
        if not token.is_("("):
            raise _SyntaxError(f"found '{token.text}' expected: '('")
        token = self._peek()
        if token.kind is not _Kind.WORD and not token.is_(",", ")"):
            raise _SyntaxError(f"found '{token.text}', expected: ',', ')' or identifier")
        values: set[str] = set()
        while True:
            # Between commas there is a value or nothing, and nothing is the empty string.
            token = self._next()
            if token.kind is _Kind.WORD:
                values.add(token.text)
                token = self._next()
                if not token.is_(",", ")"):
                    raise _SyntaxError(f"found '{token.text}', expected: ',' or ')'")
            elif token.is_(",", ")"):
                values.add("")
            else:
                raise _SyntaxError(f"found '{token.text}', expected: ',', or identifier")
            if token.is_(")"):
                return values

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        if token.kind is not _Kind.END:
            self._at += 1
        return token


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        assert match is not None, "the last alternative matches at the end, the others everywhere else"
        word = match[1]
        if not word:
            return [*found, _Token(_Kind.END, "")]
        found.append(_Token(_Kind.SYMBOL if word in _SYMBOLS else _Kind.WORD, word))
        at = match.end()


def _check_values(requirement: Requirement) -> None:
    problems: list[str] = []
    for index, value in enumerate(requirement.values):
        path: Path = ("values", index)
        if requirement.operator in _ORDERED and parse_int64(value) is None:
            detail = "for 'Gt', 'Lt' operators, the value must be an integer"
            problems.append(fielderror.invalid(path, value, detail))
    for index, value in enumerate(requirement.values):
        wrong = label_value(value)
        if wrong:
            where = f"values[{index}][{requirement.key}]: "
            problems.append(where + fielderror.invalid((), value, "; ".join(wrong)))
    if problems:
        raise _SyntaxError(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTerm:
    """One condition on one field."""

    field: str
    value: str
    equal: bool = True

    def __str__(self) -> str:
        escaped = re.sub(r"([\\,=])", r"\\\1", self.value)
        return f"{self.field}{'=' if self.equal else '!='}{escaped}"


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """All terms must hold; without any, everything matches. An absent field is the empty string."""

    terms: tuple[FieldTerm, ...] = ()

    def matches(self, object: Object) -> bool:
        """Whether the object is selected."""
        return all((field_text(object, term.field) == term.value) is term.equal for term in self.terms)

    def __str__(self) -> str:
        return ",".join(str(term) for term in self.terms)


def field_text(object: Object, field: str) -> str:
    """A field of an object as field selectors see it: ``metadata.name``, ``spec.unschedulable``."""
    value = object.get(*field.split("."))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else ""


def parse_field_selector(text: str, at: ObjectPath | None = None) -> FieldSelector:
    """The field selector that a text means; raises DiagnosticError (KUB012)."""
    try:
        _check_length(text)
        parts = sorted(re.findall(r"(?:[^\\,]|\\.|\\\Z)+", text, re.DOTALL))
        terms = [_field_term(part, text) for part in parts]
    except _SyntaxError as error:
        raise DiagnosticError(
            Diagnostic(code=codes.BAD_FIELD_SELECTOR, message=str(error), at=_place(text, at))
        ) from None
    # A lone operator says nothing, and Kubernetes drops it.
    return FieldSelector(tuple(term for term in terms if term.field or term.value))


def _field_term(part: str, whole: str) -> FieldTerm:
    operator = re.search(r"!=|==|=", part)
    if operator is None:
        raise _SyntaxError(f"invalid selector: '{whole}'; can't understand '{part}'")
    return FieldTerm(
        field=part[: operator.start()],
        value=_unescaped(part[operator.end() :]),
        equal=operator[0] != "!=",
    )


def _unescaped(text: str) -> str:
    out: list[str] = []
    for piece in re.findall(r"\\.|\\\Z|[^\\]", text, re.DOTALL):
        if piece[0] == "\\" and piece[1:] not in ("\\", ",", "="):
            raise _SyntaxError(f"invalid field selector: invalid escape sequence: {piece}")
        if piece == "=":
            raise _SyntaxError("invalid field selector: unescaped character in value: =")
        out.append(piece[-1])
    return "".join(out)
