"""sprintf: Go's fmt verbs, flags, widths and complaints (Go 1.26, package fmt; policy.md 2.2, 14).

An argument is what OPA makes of a Rego value before it calls fmt: an integer of 64 bits (``int64``), a longer
one (``*big.Int``), a number with a point (``float64``), or a string: a Rego string as it is, a number in
exponent form as it was written, anything else as Rego text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from sekisho.lang.golang.gotext import (
    can_backquote,
    quote,
    quote_ascii,
    quote_char,
    quote_char_ascii,
    to_octets,
)
from sekisho.lang.meter import Exhausted
from sekisho.rego.fmtfloat import general, hexadecimal, powers, sharpened
from sekisho.rego.numbers import DIGITS
from sekisho.rego.numbers import text as number_text
from sekisho.rego.text import bounded
from sekisho.rego.values import Value, is_number

if TYPE_CHECKING:
    from sekisho.lang.meter import Meter

Argument: TypeAlias = int | float | str

LARGEST: Final = 1_000_000
"""The largest width or precision that fmt takes."""
_SIMPLE: Final = re.compile(r"%([vsd%])")


def sprintf(meter: Meter, template: str, values: list[Value]) -> str:
    """The text that ``template`` makes of these values."""
    meter.text(len(template))
    pieces = _simple(template)
    if pieces is not None and len(pieces[1]) == len(values):
        out = _fast(meter, pieces, values)
        if out is not None:
            return out
    printer = _Printer(meter, template, [_argument(meter, value) for value in values])
    return printer.run()


@lru_cache(maxsize=1024)
def _simple(template: str) -> tuple[list[str], str] | None:
    """A template of nothing but %v, %s, %d and %%: the text around the verbs, and the verbs."""
    parts = _SIMPLE.split(template)
    if any("%" in text for text in parts[::2]):
        return None
    texts, verbs = [parts[0]], ""
    for verb, text in zip(parts[1::2], parts[2::2], strict=True):
        if verb == "%":
            texts[-1] += "%" + text
        else:
            verbs += verb
            texts.append(text)
    return texts, verbs


def _fast(meter: Meter, pieces: tuple[list[str], str], values: list[Value]) -> str | None:
    texts, verbs = pieces
    out = [texts[0]]
    total = 0
    for verb, value, text in zip(verbs, values, texts[1:], strict=True):
        kind = type(value)
        if kind is str and verb != "d":
            total += len(value)
            out.append(value)
        elif kind is int and verb != "s" and value.bit_length() <= 64:
            out.append(str(value))
        elif verb != "d" and not is_number(value):
            out.append(bounded(value, meter))
        else:
            return None
        out.append(text)
    if total > LARGEST:
        meter.text(total)
    return "".join(out)


def _argument(meter: Meter, value: Value) -> Argument:
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        if value.bit_length() > 64:
            meter.charge(value.bit_length() // 10)
        return value  # type: ignore[no-any-return]
    if not is_number(value):
        return bounded(value, meter)
    written = number_text(value)
    if "." in written:
        number = float(written)
        return written if number in {float("inf"), float("-inf")} else number
    if "e" in written or "E" in written:
        return written
    if len(written) > DIGITS.value:
        raise Exhausted(DIGITS)
    return int(value)


def _type_name(argument: Argument) -> str:
    if type(argument) is int:
        return "int64" if -(2**63) <= argument < 2**63 else "*big.Int"
    return "string" if type(argument) is str else "float64"


class _Flags:
    """What stands between % and the verb."""

    __slots__ = ("minus", "plus", "plus_v", "precision", "sharp", "sharp_v", "space", "width", "zero")

    def __init__(self) -> None:
        self.sharp = self.zero = self.plus = self.minus = self.space = False
        self.sharp_v = self.plus_v = False  # of %v: # and + are kept from its parts, but big.Int sees them
        self.width: int | None = None
        self.precision: int | None = None


class _Printer:
    """One call. ``at`` is the place in the template, ``next`` the argument to print next."""

    def __init__(self, meter: Meter, template: str, arguments: list[Argument]) -> None:
        self.meter = meter
        self.template = template
        self.arguments = arguments
        self.out: list[str] = []
        self.length = 0
        self.at = 0
        self.next = 0
        self.reordered = False
        self.good_index = True
        self.after_index = False
        self.flags = _Flags()

    def write(self, text: str) -> None:
        self.meter.text(self.length + len(text), self.length)
        self.length += len(text)
        self.out.append(text)

    def run(self) -> str:
        template, end = self.template, len(self.template)
        while self.at < end:
            percent = template.find("%", self.at)
            if percent < 0:
                self.write(template[self.at :])
                break
            self.write(template[self.at : percent])
            self.at = percent + 1
            self.good_index = True
            self.read_flags()
            if self.at >= end:
                self.write("%!(NOVERB)")
                break
            verb = template[self.at]
            self.at += 1
            self.verb(verb)
        if not self.reordered and self.next < len(self.arguments):
            self.flags = _Flags()
            extra = [f"{_type_name(a)}={self.formatted(a, 'v')}" for a in self.arguments[self.next :]]
            self.write(f"%!(EXTRA {', '.join(extra)})")
        return "".join(self.out)

    def verb(self, verb: str) -> None:
        if verb == "%":
            self.write("%")
        elif not self.good_index:
            self.write(f"%!{verb}(BADINDEX)")
        elif self.next >= len(self.arguments):
            self.write(f"%!{verb}(MISSING)")
        else:
            if verb in {"v", "w"}:
                self.flags.sharp_v, self.flags.sharp = self.flags.sharp, False
                self.flags.plus_v, self.flags.plus = self.flags.plus, False
            self.write(self.formatted(self.arguments[self.next], verb))
            self.next += 1

    # --- between % and the verb ---

    def read_flags(self) -> None:
        flags = self.flags = _Flags()
        template, end = self.template, len(self.template)
        while self.at < end and template[self.at] in "#0+- ":
            match template[self.at]:
                case "#":
                    flags.sharp = True
                case "0":
                    flags.zero = True
                case "+":
                    flags.plus = True
                case "-":
                    flags.minus = True
                case _:
                    flags.space = True
            self.at += 1
        self.after_index = False
        self.read_index()
        self.read_width()
        if self.at + 1 < end and template[self.at] == ".":
            self.read_precision()
        if not self.after_index:
            self.read_index()

    def read_width(self) -> None:
        flags = self.flags
        if self.template[self.at : self.at + 1] == "*":
            self.at += 1
            flags.width = self.integer_argument()
            if flags.width is None:
                self.write("%!(BADWIDTH)")
            elif flags.width < 0:
                flags.width, flags.minus, flags.zero = -flags.width, True, False
            self.after_index = False
            return
        flags.width = self.number()
        if self.after_index and flags.width is not None:
            self.good_index = False

    def read_precision(self) -> None:
        flags = self.flags
        self.at += 1
        if self.after_index:
            self.good_index = False
        self.read_index()
        if self.template[self.at : self.at + 1] == "*":
            self.at += 1
            flags.precision = self.integer_argument()
            if flags.precision is not None and flags.precision < 0:
                flags.precision = None
            if flags.precision is None:
                self.write("%!(BADPREC)")
            self.after_index = False
            return
        flags.precision = self.number() or 0

    def number(self) -> int | None:
        """The digits here. One that is too large swallows the rest of the template, as in Go."""
        start, template = self.at, self.template
        value = 0
        while self.at < len(template) and template[self.at] in "0123456789":
            if value > LARGEST:
                self.at = len(template)
                return None
            value = value * 10 + int(template[self.at])
            self.at += 1
        return value if self.at > start else None

    def integer_argument(self) -> int | None:
        if self.next >= len(self.arguments):
            return None
        value = self.arguments[self.next]
        self.next += 1
        if type(value) is not int or abs(value) > LARGEST:
            return None
        return value

    def read_index(self) -> None:
        """An explicit argument: %[2]d."""
        template = self.template
        self.after_index = False
        if template[self.at : self.at + 1] != "[":
            return
        self.reordered = True
        close = template.find("]", self.at)
        if close < 0 or len(template) - self.at < 3:
            self.good_index = False
            self.at += 1
            return
        inner = template[self.at + 1 : close]
        self.at = close + 1
        parsed = inner.isascii() and inner.isdecimal() and len(inner) < 8 and int(inner) <= LARGEST * 10
        if parsed and 1 <= int(inner) <= len(self.arguments):
            self.next = int(inner) - 1
            self.after_index = True
            return
        self.good_index = False
        self.after_index = parsed

    # --- arguments ------

    def formatted(self, argument: Argument, verb: str) -> str:
        """One argument. Pays for its width first."""
        self.meter.text(self.length + (self.flags.width or 0) + (self.flags.precision or 0), self.length)
        if verb == "T":
            return self.padded(self.truncated(_type_name(argument)))
        if type(argument) is int:
            if -(2**63) <= argument < 2**63:
                return self.integer(argument, verb)
            return self.big_integer(argument, verb)
        if type(argument) is str:
            return self.string(argument, verb)
        assert type(argument) is float
        return self.float_(argument, verb)

    def wrong(self, argument: Argument, verb: str) -> str:
        return f"%!{verb}({_type_name(argument)}={self.formatted(argument, 'v')})"

    def padded(self, text: str) -> str:
        width, flags = self.flags.width, self.flags
        if not width or len(text) >= width:
            return text
        if flags.minus:
            return text.ljust(width)
        return text.rjust(width, "0" if flags.zero else " ")

    def padded_with_spaces(self, text: str) -> str:
        width = self.flags.width
        if not width:
            return text
        return text.ljust(width) if self.flags.minus else text.rjust(width)

    def truncated(self, text: str) -> str:
        precision = self.flags.precision
        return text if precision is None else text[:precision]

    def string(self, text: str, verb: str) -> str:
        flags = self.flags
        if verb == "s" or (verb == "v" and not flags.sharp_v):
            return self.padded(self.truncated(text))
        if verb in {"q", "v"}:
            text = self.truncated(text)
            if flags.sharp and can_backquote(text):
                return self.padded(f"`{text}`")
            return self.padded(quote_ascii(text) if flags.plus else quote(text))
        if verb in "xX":
            return self.padded_string_of_bytes(text, verb)
        return self.wrong(text, verb)

    def padded_string_of_bytes(self, text: str, verb: str) -> str:
        flags = self.flags
        data = to_octets(text)
        if flags.precision is not None:
            data = data[: flags.precision]
        pairs = [f"{byte:02x}" for byte in data]
        prefix = "0x" if flags.sharp else ""
        if flags.space:
            out = " ".join(prefix + pair for pair in pairs)
        else:
            out = prefix + "".join(pairs) if pairs else ""
        return self.padded(out.upper() if verb == "X" else out)

    def integer(self, value: int, verb: str) -> str:
        match verb:
            case "d" | "v":
                return self.digits(value, str(abs(value)), "")
            case "b":
                return self.digits(value, format(abs(value), "b"), "0b")
            case "o" | "O":
                octal = format(abs(value), "o")
                return self.digits(value, octal, "" if octal[0] == "0" else "0", "0o" if verb == "O" else "")
            case "x":
                return self.digits(value, format(abs(value), "x"), "0x")
            case "X":
                return self.digits(value, format(abs(value), "X"), "0X")
            case "c":
                return self.padded(_char(value))
            case "q":
                return self.padded((quote_char_ascii if self.flags.plus else quote_char)(_char(value)))
            case "U":
                return self.code_point(value)
        return self.wrong(value, verb)

    def digits(self, value: int, digits: str, sharp: str, always: str = "") -> str:
        """An integer's digits with sign, prefix and zeros. ``sharp`` is the prefix that # asks for."""
        flags = self.flags
        signed = value < 0 or flags.plus or flags.space
        wanted = 0
        if flags.precision is not None:
            if flags.precision == 0 and value == 0:
                return " " * (flags.width or 0)
            wanted = flags.precision
        elif flags.zero and not flags.minus and flags.width is not None:
            wanted = flags.width - signed
        zeros = digits.rjust(wanted, "0")
        if flags.sharp and not (sharp == "0" and zeros[0] == "0"):
            zeros = sharp + zeros
        sign = "-" if value < 0 else "+" if flags.plus else " " if flags.space else ""
        return self.padded_with_spaces(sign + always + zeros)

    def big_integer(self, value: int, verb: str) -> str:
        flags = self.flags
        formats = {"b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
        if verb in "dsv":
            digits = number_text(abs(value))
        elif verb in formats:
            digits = format(abs(value), formats[verb])
        else:
            return f"%!{verb}(big.Int={number_text(value)})"
        sign = "-" if value < 0 else "+" if flags.plus or flags.plus_v else " " if flags.space else ""
        prefix = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}.get(verb, "") if flags.sharp else ""
        if verb == "O":
            prefix = "0o"
        if flags.precision is not None:
            digits = digits.rjust(flags.precision, "0")
        elif flags.zero and not flags.minus and flags.width is not None:
            digits = digits.rjust(flags.width - len(sign) - len(prefix), "0")
        return self.padded_with_spaces(sign + prefix + digits)

    def code_point(self, value: int) -> str:
        flags = self.flags
        code = value & (2**64 - 1)
        out = f"U+{code:0{max(flags.precision or 0, 4)}X}"
        if flags.sharp and code <= 0x10FFFF and chr(code).isprintable():
            out += f" '{chr(code)}'"
        return self.padded_with_spaces(out)

    def float_(self, value: float, verb: str) -> str:
        flags = self.flags
        precision = flags.precision
        match verb:
            case "v" | "g" | "G":
                text = general(value, precision)
            case "e" | "E" | "f" | "F":
                style = "e" if verb in "eE" else "f"
                text = format(value, f".{6 if precision is None else precision}{style}")
            case "x" | "X":
                text = hexadecimal(value, precision)
            case "b":
                text = powers(value)
            case _:
                return self.wrong(value, verb)
        if verb in "GEX":
            text = text.upper()
        if flags.sharp and verb != "b":
            text = sharpened(text, verb, precision)
        sign, body = ("-", text[1:]) if text[0] == "-" else ("+", text)
        if sign == "+" and not flags.plus:
            sign = " " if flags.space else ""
        width = flags.width
        if sign and flags.zero and not flags.minus and width is not None and width > len(body) + 1:
            return sign + body.rjust(width - 1, "0")
        return self.padded(sign + body)


def _char(value: int) -> str:
    if not 0 <= value <= 0x10FFFF or 0xD800 <= value < 0xE000:
        return "\ufffd"
    return chr(value)
