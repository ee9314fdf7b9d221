"""The exposure report counts what the filter does."""

from __future__ import annotations

import json

from sekisho.sandbox.table import Klass, Option, Profile, table
from sekisho.sandbox.table.report import exposure, exposure_text, syscalls_page


def test_counts_add_up() -> None:
    report = exposure()
    counts = report["counts"]
    assert isinstance(counts, dict)
    assert sum(counts[klass.value] for klass in Klass) == counts["names"] == len(table())
    assert counts["direct"] == counts["plain"] + counts["checked"] <= 120
    assert len(report["direct"]) + len(report["resolving"]) == counts["direct"]  # type: ignore[arg-type]
    assert counts["sentry"] <= 110


def test_it_is_json() -> None:
    assert json.loads(json.dumps(exposure(Profile.STRICT, frozenset(Option))))["options"] == [
        "sealed-network",
        "sysv-ipc",
    ]


def test_every_direct_call_has_its_reason_and_rule() -> None:
    for call in [*exposure()["direct"], *exposure()["resolving"]]:  # type: ignore[misc]
        assert call["reason"]
        assert ("rule" in call) == (table()[call["number"]].default.klass is Klass.CHECKED)


def test_the_strict_profile_lists_no_paths() -> None:
    assert exposure(Profile.STRICT)["resolving"] == []
    assert "resolves a path" not in exposure_text(Profile.STRICT)


def test_every_call_is_on_the_page() -> None:
    page = syscalls_page("")
    assert all(f"| `{row.name}` |" in page for row in table().values())
