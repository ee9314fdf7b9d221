"""sprintf as Go has it (each expectation is what opa 1.19 gives)."""

from __future__ import annotations

import pytest

from sekisho.lang.meter import Exhausted, Limits, Meter
from sekisho.rego.gofmt import sprintf
from sekisho.rego.values import Number, Set

N = Number
HUGE = 10**30


@pytest.mark.parametrize(
    ("template", "arguments", "result"),
    [
        # the plain cases
        ("a%%b", [], "a%b"),
        ("%v is %s, %d", ["x", "y", 3], "x is y, 3"),
        ("%v %v %v", [None, True, [1, "a"]], 'null true [1, "a"]'),
        ("%v", [{"b": Set.of([]), "a": Set.of(["y", "x"])}], '{"a": {"x", "y"}, "b": set()}'),
        ("%v %v", [N("1.0"), N("1.50")], "1 1.5"),
        ("%v", [N("1e3")], "1e3"),
        ("%v", [1.5], "1.5"),
        ("%v %v", [N("1234567.5"), N("0.00001")], "1.2345675e+06 1e-05"),
        ("%v", [[N("1.50"), N("1e3")]], "[1.50, 1e3]"),
        # complaints
        ("%d", ["a"], "%!d(string=a)"),
        ("%d", [N("1.0")], "%!d(float64=1)"),
        ("%s", [1], "%!s(int64=1)"),
        ("%t", [True], "%!t(string=true)"),
        ("%v %v", ["a"], "a %!v(MISSING)"),
        ("%v", ["a", "b"], "a%!(EXTRA string=b)"),
        ("x", [1, HUGE], f"x%!(EXTRA int64=1, *big.Int={HUGE})"),
        ("%", [], "%!(NOVERB)"),
        ("%!", [1], "%!!(int64=1)"),
        ("%z", [1], "%!z(int64=1)"),
        ("%5d", ["a"], "%!d(string=    a)"),
        # integers
        ("%5d|%-5d|%05d|%+d|% d", [1, 2, 3, 4, 5], "    1|2    |00003|+4| 5"),
        ("%x %X %#x %o %#o %O %b %#b", [255] * 8, "ff FF 0xff 377 0377 0o377 11111111 0b11111111"),
        ("%.3d|%8.3d|%08.3d", [7, 7, 7], "007|     007|     007"),
        ("%.0d|%5.0d|", [0, 0], "|     |"),
        ("%x %05d", [-255, -7], "-ff -0007"),
        ("%c %q %U %#U", [0x65E5, 39, 65, 128512], "日 '\\'' U+0041 U+1F600 '😀'"),
        ("%c%c", [-1, 0xD800], "\ufffd\ufffd"),
        ("%+q %q", [233, 10], "'\\u00e9' '\\n'"),
        ("%d %x %#X %+d %s", [HUGE, HUGE, HUGE, HUGE, HUGE], f"{HUGE} {HUGE:x} 0X{HUGE:X} +{HUGE} {HUGE}"),
        ("%040d|%c", [HUGE, HUGE], f"{HUGE:040d}|%!c(big.Int={HUGE})"),
        # floats
        ("%f %.2f %8.1f|%-8.1f|%+.0f", [N("1.5")] * 5, "1.500000 1.50      1.5|1.5     |+2"),
        ("%e %E %g %G", [N("1234.5678")] * 4, "1.234568e+03 1.234568E+03 1234.5678 1234.5678"),
        ("%g %.3g %#g", [N("100000.0"), N("123456.0"), N("1.0")], "100000 1.23e+05 1.00000"),
        (
            "%x %X %.2x %b",
            [N("1.5"), N("1.5"), N("0.1"), N("1.5")],
            "0x1.8p+00 0X1.8P+00 0x1.9ap-04 6755399441055744p-52",
        ),
        ("%08.2f|%+08.2f|% 08.2f", [N("-1.5"), N("1.5"), N("1.5")], "-0001.50|+0001.50| 0001.50"),
        ("%s", [N("1.5")], "%!s(float64=1.5)"),
        ("%v", [N("1.0e400")], "1.0e400"),
        # strings
        ("%5s|%-5s|%.2s|%05s", ["é", "é", "héé", "é"], "    é|é    |hé|0000é"),
        ("%q %+q %#q", ['é"', "é", "a"], '"é\\"" "\\u00e9" `a`'),
        ("%x % x %#x % #X", ["hi", "hi", "hi", "hi"], "6869 68 69 0x6869 0X68 0X69"),
        ("%T %T %T %T", ["a", 1, N("1.5"), HUGE], "string int64 float64 *big.Int"),
        # indexes and stars
        ("%[2]d %[1]d", [1, 2], "2 1"),
        ("%[3]d", [1], "%!d(BADINDEX)"),
        ("%[x]d", [1], "%!d(BADINDEX)"),
        ("%*d|%-*d|%.*f", [5, 1, 4, 2, 1, N("2.25")], "    1|2   |2.2"),
        ("%*d", ["x", 1], "%!(BADWIDTH)1"),
        ("%.*d", [-1, 1], "%!(BADPREC)1"),
        ("%1000001d", [1], " " * 1000000 + "1"),
        ("%99999999d", [1], "%!(NOVERB)%!(EXTRA int64=1)"),
    ],
)
def test_what_go_prints(template: str, arguments: list[object], result: str) -> None:
    assert sprintf(Meter(Limits()), template, arguments) == result


def test_widths_are_paid_for_before_they_are_built() -> None:
    with pytest.raises(Exhausted):
        sprintf(Meter(Limits()), "%1000000d" * 1000, [1] * 1000)
