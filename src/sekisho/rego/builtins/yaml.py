"""yaml.*: YAML as sigs.k8s.io/yaml reads and writes it (its resolver is go-yaml v2's).

y, n, yes, no, on and off are booleans, nothing is base 60, timestamps stay strings, numbers are 64-bit, and
only the first document of a text is read. Aliases share what they name; what they would grow to is bounded.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from functools import cmp_to_key
from typing import Any, Final, NoReturn

from sekisho.diag import Limit
from sekisho.lang.golang import gofloat
from sekisho.rego import jsontext
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.numbers import text as number_text
from sekisho.rego.types import ANY, BOOLEAN, STRING, Function
from sekisho.rego.values import Value

GROWN: Final = Limit("a YAML document", 1_000_000, "nodes", "aliases of aliases grow without bound")
DEPTH: Final = Limit("a YAML document", 200, "levels", "deeper values overflow the stack of their readers")

_TAG: Final = "tag:yaml.org,2002:"
_WORDS: Final[dict[str, Value]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_INTEGER: Final = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)\Z",
)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SIXTY: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
_TIME: Final = re.compile(
    r"[0-9]{4}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12][0-9]|3[01])"
    r"(?:[Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})"
    r"| [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?)?\Z",
)
"""What older readers take for something else, and is quoted for them: sexagesimal numbers, and times."""


class _Merge:
    """The value of a plain ``<<``."""


_MERGE: Final = _Merge()


def resolve(text: str) -> Any:
    """What a plain scalar stands for: a word, a number, ``_MERGE``, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text == "<<":
        return _MERGE
    if text[0] not in "+-.0123456789":
        return text
    bare = text.replace("_", "")
    if _INTEGER.match(bare):
        number = _integer(bare)
        if -(2**63) <= number < 2**64:
            return number
    if _FLOAT.match(bare):
        real = float(bare)
        if real not in {float("inf"), float("-inf")}:
            return real
    return text


def _integer(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").lower()
    base = {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2])
    if base is None:
        base = 8 if len(digits) > 1 and digits.startswith("0") else 10
        return sign * (int(digits, base) if len(digits) < 30 else 2**64)
    return sign * int(digits[2:], base)


# --- reading --------------------------------------------------------------------------


def load(text: str) -> Value:
    """The value of the first document, as JSON has it. Raises BuiltinFault ``yaml: …``."""
    return _json(_Builder(text).document())


def _fail(message: str, line: int | None = None) -> NoReturn:
    raise BuiltinFault(f"yaml: line {line}: {message}" if line else f"yaml: {message}")


def _line(error: Exception) -> int | None:
    """The line that go-yaml tells: counted from 0 but for the scanner, and never 0."""
    from yaml.scanner import ScannerError

    for name in ("problem_mark", "context_mark"):
        mark = getattr(error, name, None)
        if mark is not None and mark.line:
            return int(mark.line) + (name == "problem_mark" and isinstance(error, ScannerError))
    return None


class _Pairs(list[tuple[Any, Any]]):
    """A mapping: its keys and values in order, merge keys among them."""


class _Builder:
    """Builds a document from the events of libyaml, without recursion."""

    def __init__(self, text: str) -> None:
        import yaml

        self._error = yaml.YAMLError
        try:
            self._events = yaml.parse(text, Loader=yaml.CBaseLoader)
        except yaml.YAMLError as error:  # characters that no YAML may have
            _fail(str(getattr(error, "reason", None) or "control characters are not allowed"))
        self._anchors: dict[str, tuple[Any, int, bool]] = {}
        self._grown = 0

    def _next(self) -> Iterator[Any]:
        try:
            yield from self._events
        except self._error as error:
            problem = getattr(error, "problem", None) or getattr(error, "reason", None)
            _fail(str(problem or "the text is not YAML"), _line(error))

    def document(self) -> Any:
        """The first document; null if there is none."""
        from yaml import events

        top: list[Any] = []
        stack: list[tuple[list[Any], Any, int]] = [(top, None, 0)]
        for event in self._next():
            if isinstance(event, events.DocumentEndEvent):
                break
            if isinstance(event, events.CollectionEndEvent):
                done, opened, before = stack.pop()
                value = self._paired(done) if isinstance(opened, events.MappingStartEvent) else done
                if opened.anchor:
                    self._anchors[opened.anchor] = (value, self._grown - before, True)
                stack[-1][0].append(value)
            elif isinstance(event, events.CollectionStartEvent):
                if len(stack) > DEPTH.value:
                    _fail(str(DEPTH))
                if event.anchor:
                    self._anchors[event.anchor] = (None, 0, False)
                stack.append(([], event, self._grown))
                self._grow(1)
            elif isinstance(event, events.ScalarEvent):
                value = _scalar(event)
                if event.anchor:
                    self._anchors[event.anchor] = (value, 1, True)
                self._grow(1)
                stack[-1][0].append(value)
            elif isinstance(event, events.DocumentStartEvent):
                if event.version not in {None, (1, 1)}:
                    _fail("found incompatible YAML document")
            elif isinstance(event, events.AliasEvent):
                stack[-1][0].append(self._alias(event))
        return top[0] if top else None

    def _grow(self, nodes: int) -> None:
        self._grown += nodes
        if self._grown > GROWN.value:
            _fail("document contains excessive aliasing")

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            _fail(f"unknown anchor '{event.anchor}' referenced")
        value, size, complete = self._anchors[event.anchor]
        if not complete:
            _fail(f"anchor '{event.anchor}' value contains itself")
        self._grow(size)
        return value

    def _paired(self, items: list[Any]) -> _Pairs:
        return _Pairs(zip(items[::2], items[1::2], strict=True))


def _scalar(event: Any) -> Any:
    tag, text = event.tag, event.value
    if tag is None or tag == "!":
        return resolve(text) if event.implicit[0] and tag is None else text
    short = tag.removeprefix(_TAG)
    if short in (tag, "str"):
        return text
    if short == "binary":
        try:
            return base64.b64decode(text).decode("utf-8", "replace")
        except binascii.Error:
            _fail("!!binary value contains invalid base64 data")
    value = resolve(text)
    kinds: dict[str, tuple[type, ...]] = {
        "bool": (bool,),
        "int": (int,),
        "float": (float, int),
        "null": (type(None),),
        "merge": (_Merge,),
    }
    if short in kinds and type(value) not in kinds[short]:
        _fail(f"cannot decode !!{_kind(value)} `{text}` as a !!{short}")
    return float(value) if short == "float" else value


def _kind(value: Any) -> str:
    names = {str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}
    return names.get(type(value), "merge")


def _json(value: Any) -> Value:
    """A value with JSON's own types; mappings become objects, their keys strings."""
    kind = type(value)
    if kind is _Pairs:
        return {_name(k): _json(v) for k, v in _members(value).items()}
    if kind is list:
        return [_json(item) for item in value]
    if kind is float:
        return _float(value)
    return "<<" if kind is _Merge else value


def _members(pairs: _Pairs) -> dict[Any, Any]:
    out: dict[Any, Any] = {}
    for name, value in pairs:
        if type(name) is _Merge:
            # In go-yaml a merge overrides what stands before it; the first of several maps wins.
            for part in reversed(value) if type(value) is list else [value]:
                if type(part) is not _Pairs:
                    _fail("map merge requires map or sequence of maps as the value")
                out.update(_members(part))
        elif type(name) in {list, _Pairs}:
            _fail("invalid map key")
        else:
            out[(type(name), name)] = value
    return out


def _name(form: tuple[type, Any]) -> str:
    kind, value = form
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        special = {float("inf"): ".inf", float("-inf"): "-.inf"}
        return special.get(value) or (gofloat.shortest(value, bits=32) if value == value else ".nan")  # noqa: PLR0124
    raise BuiltinFault("unsupported map key of type: %!s(<nil>), key: <nil>")


def _float(value: float) -> Value:
    if value in {float("inf"), float("-inf")} or value != value:  # noqa: PLR0124 - not a number
        names = {float("inf"): "+Inf", float("-inf"): "-Inf"}
        raise BuiltinFault(f"json: unsupported value: {names.get(value, 'NaN')}")
    return jsontext.unmarshal(gofloat.json(value))


# --- writing --------------------------------------------------------------------------


def dump(value: Value) -> str:
    """A value as YAML: block style, keys in go-yaml's natural order."""
    import yaml

    text: str = yaml.emit(
        _document(value),
        Dumper=yaml.CDumper,
        allow_unicode=True,
        width=80,
    )
    return text.removesuffix("...\n")


def _document(value: Value) -> Iterator[Any]:
    from yaml import events

    yield events.StreamStartEvent()
    yield events.DocumentStartEvent(explicit=False)
    yield from _node(value)
    yield events.DocumentEndEvent(explicit=False)
    yield events.StreamEndEvent()


def _node(value: Value) -> Iterator[Any]:
    from yaml import events

    kind = type(value)
    if kind is dict:
        yield events.MappingStartEvent(None, None, implicit=True, flow_style=not value)
        for name in sorted(value, key=_natural):
            yield from _node(name)
            yield from _node(value[name])
        yield events.MappingEndEvent()
    elif kind is list:
        yield events.SequenceStartEvent(None, None, implicit=True, flow_style=not value)
        for item in value:
            yield from _node(item)
        yield events.SequenceEndEvent()
    elif kind is str:
        yield events.ScalarEvent(None, None, (True, True), value, style=scalar_style(value))
    else:
        yield events.ScalarEvent(None, None, (True, False), _plain(value))


def scalar_style(text: str) -> str | None:
    """How a string is to be written so that it is read as one: a literal block, in quotes, or as it is."""
    if "\n" in text:
        return "|"
    plain = type(resolve(text)) in {str, _Merge} and not _SIXTY.match(text) and not _TIME.match(text)
    return None if plain else '"'


def _plain(value: Value) -> str:
    if value is None:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    found = resolve(number_text(value))  # as go-yaml reads the JSON that it is given
    return gofloat.shortest(found) if type(found) is float else str(found)


def _order(left: str, right: str) -> int:
    """Natural order: letters after all else, runs of digits as numbers."""
    for at, (a, b) in enumerate(zip(left, right, strict=False)):
        if a == b:
            continue
        if a.isalpha() and b.isalpha():
            return -1 if a < b else 1
        if a.isalpha() or b.isalpha():
            return -1 if b.isalpha() else 1
        lead = int("0" in {a, b} and _after_digit(left[:at]))
        m, n = _run(left, at), _run(right, at)
        x, y = int(f"{lead}{m}"), int(f"{lead}{n}")
        if x != y:
            return -1 if x < y else 1
        if len(m) != len(n):
            return -1 if len(m) < len(n) else 1
        return -1 if a < b else 1
    return len(left) - len(right)


def _after_digit(text: str) -> bool:
    """Whether a digit that is no leading zero stands just before."""
    digits = text[len(text.rstrip("0123456789")) :]
    return digits.strip("0") != ""


def _run(text: str, at: int) -> str:
    found = re.compile(r"[0-9]{0,18}").match(text, at)
    return found.group() if found else ""


_natural: Final[Callable[[str], Any]] = cmp_to_key(_order)


# --- the functions --------------------------------------------------------------------


def _marshal(context: EvalContext, value: Value) -> str:
    plain = jsontext.plain(value)
    context.meter.charge(1_000)
    return dump(plain)


def _unmarshal(context: EvalContext, text: Value) -> Value:
    source = operands.string(text, 1)
    context.meter.charge(4 * len(source))
    return load(source)


def _is_valid(context: EvalContext, text: Value) -> bool:
    if type(text) is not str:
        return False
    try:
        _unmarshal(context, text)
    except BuiltinFault:
        return False
    return True


row("yaml.marshal", Function((ANY,), STRING), _marshal, context=True)
row("yaml.unmarshal", Function((STRING,), ANY), _unmarshal, context=True)
row("yaml.is_valid", Function((STRING,), BOOLEAN), _is_valid, context=True)
