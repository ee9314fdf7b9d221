"""units.* and semver.* (expectations are what opa 1.19 gives, but where the rows say otherwise)."""

import pytest

from sekisho.lang.meter import Exhausted
from sekisho.rego.numbers import text


@pytest.mark.parametrize(
    ("name", "amount", "value"),
    [
        ("units.parse", "10Ki", "10240"),
        ("units.parse", "10kI", "10240"),
        ("units.parse", "1.5M", "1500000"),
        ("units.parse", "5m", "0.0050000000"),
        ("units.parse", "1000m", "1.0000000000"),
        ("units.parse", "-1.5", "-1.5000000000"),
        ("units.parse", "1e3", "1000"),
        ("units.parse", "5e", "5000000000000000000"),
        ("units.parse", '"2G"', "2000000000"),
        ("units.parse", "0.00000000001", "0.0000000000"),
        ("units.parse_bytes", "1.5KiB", "1536"),
        ("units.parse_bytes", "10mb", "10000000"),
        ("units.parse_bytes", "-1.5", "-1"),
        ("units.parse_bytes", "1e-3kb", "1"),
    ],
)
def test_amounts(call, name, amount, value):
    assert text(call(name, amount)) == value


@pytest.mark.parametrize(
    ("name", "amount", "why"),
    [
        ("units.parse", "10KIB", "unit Kib not recognized"),
        ("units.parse", "", "no amount provided"),
        ("units.parse", "1 G", "spaces not allowed in resource strings"),
        ("units.parse", "1..5", "could not parse amount to a number"),
        ("units.parse", "1e1234567", "exponent too large"),
        ("units.parse_bytes", "10foo", "byte unit foo not recognized"),
        ("units.parse_bytes", "kb", "no byte amount provided"),
    ],
)
def test_refusals(call, name, amount, why):
    assert call(name, amount) == f"eval_builtin_error: {name}: {why}"


def test_an_amount_of_a_million_digits_is_refused(call):
    with pytest.raises(Exhausted):
        call("units.parse", "1e999999")


@pytest.mark.parametrize(
    ("a", "b", "order"),
    [
        ("1.2.3", "v1.2.3+build", 0),
        ("1.2.3", "1.2.3-rc.1", 1),
        ("1.2.3-alpha", "1.2.3-alpha.1", -1),
        ("1.2.3-2", "1.2.3-10", -1),
        ("1.2.3-10", "1.2.3-a", -1),
        ("1.10.0", "1.9.0", 1),
        ("1.2.3-99999999999999999999", "1.2.3-99999999999999999998", 1),
        ("1.2.3-01", "1.2.3-1", 0),
    ],
)
def test_versions(call, a, b, order):
    assert call("semver.compare", a, b) == order
    assert call("semver.compare", b, a) == -order


@pytest.mark.parametrize(
    ("version", "valid"),
    [("1.2.3", True), ("v1.2.3", True), ("01.2.3", True), ("1.2.3-", True), ("1.2.3+", True),
     ("1.2", False), ("1.2.3.4", False), ("1.+2.3", False), ("1.2.3-a..b", False), ("1.2.3\n", False),
     ("9223372036854775808.0.0", False), (1, False)],
)  # fmt: skip
def test_validity(call, version, valid):
    assert call("semver.is_valid", version) is valid


def test_what_is_no_version(call):
    message = 'eval_builtin_error: operand 2: string "x" is not a valid SemVer'
    assert call("semver.compare", "1.2.3", "x") == message
