"""Quantities: ``500m``, ``1.5Gi``, ``1e3``. Exact, and printed as Kubernetes prints them.

A value is a whole number of nanounits, since Kubernetes rounds what it reads up to that. Facts from
apimachinery's ``resource.Quantity``; one deviation: Kubernetes prints 1000E as ``1``, having no suffix for
10^21, where this keeps the largest suffix that there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Limit, ObjectPath
from sekisho.kube import codes, fielderror

NANO: Final = 10**9
"""Nanounits in one unit: the finest that Kubernetes keeps."""

LENGTH: Final = Limit("a quantity", 256, "characters", "2^63 has 19 digits, and long integers cost")
EXPONENT: Final = Limit("a quantity's exponent", 1_000, "powers of ten", "10^1000 is more than any resource")

_MAX: Final = (2**63 - 1) * NANO
"""What quantities with a binary suffix are capped at, as Kubernetes does."""

_FORM: Final = re.compile(r"([+-]?)([0-9]*)(\.?)([0-9]*)([eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT_FORM: Final = re.compile(r"[eE]([+-]?[0-9]+)")

FORM_TEXT: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
NUMBER_TEXT: Final = "unable to parse numeric part of quantity"
SUFFIX_TEXT: Final = "unable to parse quantity's suffix"

_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX: Final = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX: Final = {exponent: suffix for suffix, exponent in _BINARY.items()}


class Format(Enum):
    """The family of suffixes that a quantity was written with, and is printed with again."""

    DECIMAL_SI = "DecimalSI"
    BINARY_SI = "BinarySI"
    DECIMAL_EXPONENT = "DecimalExponent"


class QuantityError(ValueError):
    """A text is no quantity; the message is Kubernetes' own. ``at`` makes a diagnostic of it."""


@dataclass(frozen=True, slots=True, kw_only=True, order=False)
class Quantity:
    """An amount. Quantities compare by value; ``1`` and ``1000m`` are equal.

    ``spelling`` is the text that it was read from, where Kubernetes writes that text back unchanged.
    ``scale`` is the power of ten of the 64-bit integer in which Kubernetes keeps what it read, which some
    of its answers depend on; None where it keeps a decimal number instead.
    """

    nanos: int
    format: Format = field(default=Format.DECIMAL_SI, compare=False)
    spelling: str = field(default="", compare=False)
    scale: int | None = field(default=None, compare=False)

    @property
    def value(self) -> Fraction:
        """The exact amount, in units."""
        return Fraction(self.nanos, NANO)

    def __lt__(self, other: Quantity) -> bool:
        return self.nanos < other.nanos

    def __le__(self, other: Quantity) -> bool:
        return self.nanos <= other.nanos

    def __gt__(self, other: Quantity) -> bool:
        return self.nanos > other.nanos

    def __ge__(self, other: Quantity) -> bool:
        return self.nanos >= other.nanos

    def __add__(self, other: Quantity) -> Quantity:
        """The sum, in the form of the first; of the second, if the first is zero."""
        return Quantity(nanos=self.nanos + other.nanos, format=self._form_with(other))

    def __sub__(self, other: Quantity) -> Quantity:
        """The difference, in the form of the first; of the second, if the first is zero."""
        return Quantity(nanos=self.nanos - other.nanos, format=self._form_with(other))

    def __neg__(self) -> Quantity:
        return Quantity(nanos=-self.nanos, format=self.format)

    def __bool__(self) -> bool:
        return self.nanos != 0

    def __str__(self) -> str:
        return self.spelling or self.canonical()

    def _form_with(self, other: Quantity) -> Format:
        return self.format if self.nanos else other.format

    def canonical(self) -> str:
        """The one spelling of this amount: no fraction, and the largest suffix that loses nothing."""
        if self.nanos == 0:
            return "0"
        if self.format is Format.BINARY_SI:
            units, rest = divmod(self.nanos, NANO)
            if rest == 0 and abs(units) >= 1024:
                return _in_binary(units)
        number, exponent = self.nanos, -9
        while number % 1000 == 0 and (exponent < 18 or self.format is Format.DECIMAL_EXPONENT):
            number //= 1000
            exponent += 3
        if self.format is Format.DECIMAL_EXPONENT:
            return f"{number}e{exponent}" if exponent else str(number)
        return f"{number}{_DECIMAL_SUFFIX[exponent]}"


def _in_binary(units: int) -> str:
    exponent = 0
    while units % 1024 == 0 and exponent < 60:
        units //= 1024
        exponent += 10
    return f"{units}{_BINARY_SUFFIX[exponent]}" if exponent else str(units)


def parse(text: str) -> Quantity:
    """The quantity that a text means; raises QuantityError with Kubernetes' text."""
    if LENGTH.exceeded_by(len(text)):
        raise QuantityError(str(LENGTH))
    found = _FORM.fullmatch(text)
    if not text or found is None:
        raise QuantityError(FORM_TEXT)
    sign, whole, _, fraction, suffix = found.groups()
    whole = whole.lstrip("0") or "0"
    exponent, format = _suffix(suffix)
    digits = int(whole + fraction)
    short = _is_short(whole, fraction, exponent, format)
    if not short and not found[2] and not fraction:
        raise QuantityError(NUMBER_TEXT)
    if format is Format.BINARY_SI:
        nanos = min(_scaled(digits << exponent, 9 - len(fraction)), _MAX)
        if 0 < nanos < NANO:
            format = Format.DECIMAL_SI
    else:
        if digits and EXPONENT.exceeded_by(exponent):
            raise QuantityError(str(EXPONENT))
        nanos = _scaled(digits, max(exponent, -EXPONENT.value) + 9 - len(fraction)) if digits else 0
    kept = short and _looks_canonical(whole, fraction, exponent, format)
    return Quantity(
        nanos=-nanos if sign == "-" else nanos,
        format=format,
        spelling=text if kept else "",
        scale=_scale(fraction, exponent, format) if short else None,
    )


def _scale(fraction: str, exponent: int, format: Format) -> int:
    """Binary suffixes are multiplied out; their numbers have no fraction on the fast path."""
    return 0 if format is Format.BINARY_SI else exponent - len(fraction)


def _suffix(suffix: str) -> tuple[int, Format]:
    """Exponent (of ten, or of two) and family of a suffix."""
    if suffix in _DECIMAL:
        return _DECIMAL[suffix], Format.DECIMAL_SI
    if suffix in _BINARY:
        return _BINARY[suffix], Format.BINARY_SI
    written = _EXPONENT_FORM.fullmatch(suffix)
    if written is None:
        raise QuantityError(SUFFIX_TEXT)
    return int(written[1]), Format.DECIMAL_EXPONENT


def _scaled(number: int, power: int) -> int:
    """``number`` times ten to ``power``, rounded up; ``number`` is not negative."""
    factor: int = 10 ** abs(power)
    return number * factor if power >= 0 else -(-number // factor)


def _is_short(whole: str, fraction: str, exponent: int, format: Format) -> bool:
    """Whether Kubernetes reads this on its fast path, which is laxer: a suffix without a number is zero."""
    digits = len(whole) + len(fraction)
    if format is Format.BINARY_SI:
        return not fraction and 15 - digits - exponent * 3 // 10 - 1 >= 0
    return digits <= 18 and exponent - len(fraction) >= -9


def _looks_canonical(whole: str, fraction: str, exponent: int, format: Format) -> bool:
    """Whether Kubernetes takes this spelling for canonical and writes it back as it is.

    It looks only at what costs nothing to look at, so ``1.500`` and ``01Ki`` are kept, too.
    """
    if format is Format.BINARY_SI:
        return int(whole) & 7 != 0
    digits = whole + fraction
    return (exponent - len(fraction)) % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def load(value: Any, at: ObjectPath | None = None) -> Quantity:
    """The quantity in a JSON value (a string, or a number as YAML may leave it).

    Raises DiagnosticError (KUB020) at ``at``.
    """
    text = value if isinstance(value, str) else fielderror.shown(value)
    path = at.path if at else ()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        message = fielderror.wrong_type(path, value, "string")
    else:
        try:
            return parse(text.strip())
        except QuantityError as error:
            message = fielderror.invalid(path, value, str(error))
    raise DiagnosticError(Diagnostic(code=codes.BAD_QUANTITY, message=message, at=at))
