"""Templates and constraints in any order in one ``kubectl apply``: they always end enforced.

``python -m tests.integration.test_guard_order`` tries fifty shuffles and prints how many ended so.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.kubectl.driver import installed
from tests.integration.guarded import KUBECTLS, Up, pod
from tests.unit.policy.made import constraint, template

from sekisho.policy.library import entry

pytestmark = pytest.mark.skipif(not KUBECTLS, reason="there is no kubectl")

SHUFFLES = 6
"""In the tests; it takes fifty to be sure, which is a minute."""

POLICIES = (
    ("k8srequiredlabels", "namespaces-have-an-owner"),
    ("k8spspprivilegedcontainer", None),
    ("k8sdisallowedtags", None),
    ("k8spsphostnamespace", None),
)


def documents() -> list[dict[str, Any]]:
    """Templates of the library, and a constraint of each."""
    rows: list[dict[str, Any]] = []
    for name, sample in POLICIES:
        found = entry(name)
        chosen = dict(found.sample(sample or found.samples[0]).raw)
        chosen["spec"] = {**chosen["spec"], "match": {"namespaces": ["guarded", "made"]}}
        rows += [dict(found.template.raw), chosen]
    return rows


def refused(up: Up) -> bool:
    """Whether the policies refuse what is against them, at once and without another try."""
    namespace = up.kubectl("create", "namespace", "made", "--dry-run=server")
    privileged = up.kubectl("apply", "-n", "guarded", "-f", "-", given=pod(hostPID=True))
    return "a label owner" in namespace.stderr and "host namespace is not allowed" in privileged.stderr


def shuffle(up: Up, number: int, random: random.Random) -> bool:
    """One shuffle, in one of the ways in which people apply; whether all was enforced right after it."""
    rows = documents()
    random.shuffle(rows)
    given: Sequence[Any] = rows
    if number % 2:
        given = [{"apiVersion": "v1", "kind": "List", "items": rows}]
    more = ("--server-side", "--force-conflicts") if number % 3 == 0 else ()
    done = up.kubectl("apply", *more, "-f", "-", given=list(given), by=number)
    enforced = done.returncode == 0 and refused(up)
    kinds = {row["kind"].lower() for row in rows if row["kind"] != "ConstraintTemplate"}
    up.kubectl("delete", ",".join(sorted(kinds)), "--all")
    up.kubectl("delete", "constrainttemplates", "--all")
    return enforced


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    found = Up(tmp_path)
    found.start()
    found.kubectl("create", "namespace", "guarded")
    yield found
    found.stop()


def test_any_order_ends_enforced(up: Up) -> None:
    chance = random.Random(7)
    assert [shuffle(up, number, chance) for number in range(SHUFFLES)] == [True] * SHUFFLES


def test_of_a_kind_that_nobody_knew_the_second_apply_is_enough(up: Up) -> None:
    """kubectl itself refuses kinds that the server did not have when it began, whoever the server is."""
    both = [dict(constraint().raw), dict(template().raw)]
    first = up.kubectl("apply", "-f", "-", given=both)
    assert 'no matches for kind "K8sThing"' in first.stderr
    assert up.kubectl("apply", "-f", "-", given=both).returncode == 0
    assert "no hostPID" in up.apply(pod(hostPID=True)).stderr


def test_created_in_their_order_new_kinds_are_known_at_once(up: Up) -> None:
    up.kubectl("get", "namespaces")
    made = up.kubectl("create", "-f", "-", given=[dict(template().raw), dict(constraint().raw)])
    assert made.returncode == 0, made.stderr
    assert "no hostPID" in up.apply(pod(hostPID=True)).stderr


def main(shuffles: int = 50) -> int:
    """Try it, print what fails, and count."""
    with tempfile.TemporaryDirectory() as folder:
        up = Up(Path(folder))
        up.start()
        try:
            up.kubectl("create", "namespace", "guarded")
            chance = random.Random(7)
            passed = 0
            for number in range(shuffles):
                if shuffle(up, number, chance):
                    passed += 1
                else:
                    print(f"shuffle {number} was not enforced")
        finally:
            up.stop()
    print(
        f"{passed} passed, {shuffles - passed} failed; kubectl {', '.join(row.name for row in installed())}"
    )
    return int(passed < shuffles)


if __name__ == "__main__":
    sys.exit(main())
