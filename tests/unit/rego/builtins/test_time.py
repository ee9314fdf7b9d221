"""time.* (expectations are what opa 1.19 gives)."""

import pytest

from sekisho.rego.values import Number

NOON = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
NEW_YORK = "America/New_York"
CHANGE = 1_710_054_000_000_000_000  # 2024-03-10T07:00:00Z, when clocks there go forward
MOMENT = "eval_type_error: operand 1 must be either number (ns) or [number (ns), string (tz)] but got"


@pytest.mark.parametrize(
    ("name", "operands", "value"),
    [
        ("time.date", [NOON], [2023, 11, 14]),
        ("time.date", [[NOON, "Asia/Tokyo"]], [2023, 11, 15]),
        ("time.date", [-1], [1969, 12, 31]),
        ("time.clock", [[NOON, NEW_YORK]], [17, 13, 20]),
        ("time.clock", [[CHANGE - 1, NEW_YORK]], [1, 59, 59]),
        ("time.clock", [[CHANGE, NEW_YORK]], [3, 0, 0]),
        ("time.weekday", [NOON], "Tuesday"),
        ("time.weekday", [[Number("1.7e18")]], "Tuesday"),
        ("time.date", [Number("1.5")], "eval_builtin_error: timestamp too big"),
        ("time.date", [2**63], "eval_builtin_error: timestamp too big"),
        ("time.date", ["x"], f"{MOMENT} string"),
        ("time.date", [[]], f"{MOMENT} array"),
        ("time.date", [[1, 2]], "eval_type_error: operand 1 must be string but got number"),
        ("time.date", [[1, "Foo/Bar"]], "eval_builtin_error: unknown time zone Foo/Bar"),
        ("time.date", [[1, "../etc"]], "eval_builtin_error: time: invalid location name"),
        ("time.format", [NOON + 5], "2023-11-14T22:13:20.000000005Z"),
        ("time.format", [[NOON, NEW_YORK]], "2023-11-14T17:13:20-05:00"),
        ("time.format", [[NOON, NEW_YORK, "RFC1123"]], "Tue, 14 Nov 2023 17:13:20 EST"),
        ("time.format", [[NOON, "", "Jan 2"]], "Nov 14"),
        ("time.parse_ns", ["RFC822Z", "14 Nov 23 17:13 -0500"], 1_699_999_980_000_000_000),
        ("time.parse_ns", ["2006", "3000"], "eval_builtin_error: time outside of valid range"),
        ("time.parse_rfc3339_ns", ["2023-11-14T22:13:20Z"], NOON),
        (
            "time.parse_rfc3339_ns",
            ["x"],
            'eval_builtin_error: parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
        ),
        ("time.add_date", [NOON, 1, 1, 1], 1_734_300_800_000_000_000),
        ("time.add_date", [[CHANGE, NEW_YORK], 0, 0, -1], CHANGE - 23 * 3_600_000_000_000),
        ("time.add_date", [NOON, 0, -11, 0], 1_671_056_000_000_000_000),
        ("time.add_date", [NOON, 1000, 0, 0], "eval_builtin_error: time outside of valid range"),
        ("time.add_date", [NOON, "1", 0, 0], "eval_type_error: operand 2 must be number but got string"),
        ("time.diff", [NOON, NOON - 86_400_000_000_000], [0, 0, 1, 0, 0, 0]),
        ("time.diff", [1_709_251_200_000_000_000, 1_706_659_200_000_000_000], [0, 1, 1, 0, 0, 0]),
        ("time.parse_duration_ns", ["1h1m1.5s"], 3_661_500_000_000),
        ("time.parse_duration_ns", ["-1d12h"], -129_600_000_000_000),
        ("time.parse_duration_ns", ["1.5w"], 907_200_000_000_000),
        ("time.parse_duration_ns", ["1x"], 'eval_builtin_error: time: unknown unit "x" in duration "1x"'),
        ("time.parse_duration_ns", ["1d1"], 'eval_builtin_error: time: invalid duration "1d1"'),
        ("time.parse_duration_ns", ["400y"], 'eval_builtin_error: time: invalid duration "400y"'),
    ],
)
def test_values(call, name, operands, value):
    assert call(name, *operands) == value


def test_now_is_the_query_s(call, context):
    assert call("time.now_ns", context=context(now_ns=7)) == 7
