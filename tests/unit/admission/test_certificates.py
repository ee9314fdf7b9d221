"""When certificates are made anew, and that no client meets one that it does not trust."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sekisho.admission.certificates import AHEAD, AUTHORITY_AHEAD, ENTRIES, Kept, renewed
from sekisho.diag import Secret
from sekisho.web.authority import (
    AUTHORITY_LASTS,
    ISSUED_LASTS,
    is_issued_by,
    names_in,
)

NOW = datetime.now(UTC)
NAMES = ("webhook.sekisho-system.svc",)
DAY = timedelta(days=1)


def texts(kept: Kept) -> dict[str, str]:
    return {name: value.reveal() for name, value in kept.entries().items()}


@pytest.fixture(scope="module")
def first() -> Kept:
    return renewed(None, NAMES, NOW)


def test_the_first_one_is_made(first: Kept) -> None:
    assert names_in(first.chain) == set(NAMES)
    assert is_issued_by(first.chain, first.bundle)


def test_nothing_is_due_the_next_day(first: Kept) -> None:
    assert renewed(first, NAMES, NOW + DAY, trusted=first.bundle) is first


def test_it_is_kept_under_gatekeepers_names(first: Kept) -> None:
    assert tuple(texts(first)) == ENTRIES
    again = Kept.of(texts(first))
    assert again is not None
    assert texts(again) == texts(first)
    assert Kept.of({**texts(first), "ca.key": ""}) is None


def test_its_keys_do_not_show(first: Kept) -> None:
    assert "PRIVATE" not in repr(first)


def test_a_certificate_is_renewed_before_its_end(first: Kept) -> None:
    late = NOW + ISSUED_LASTS - AHEAD + DAY
    second = renewed(first, NAMES, late, trusted=first.bundle)
    assert second.chain != first.chain
    assert second.bundle == first.bundle


def test_one_that_is_over_is_renewed(first: Kept) -> None:
    second = renewed(first, NAMES, NOW + ISSUED_LASTS + DAY, trusted=first.bundle)
    assert second.chain != first.chain


def test_other_names_need_another_one(first: Kept) -> None:
    second = renewed(first, ("other.svc",), NOW + DAY, trusted=first.bundle)
    assert names_in(second.chain) == {"other.svc"}


def test_a_new_authority_comes_with_overlap(first: Kept) -> None:
    late = NOW + AUTHORITY_LASTS - AUTHORITY_AHEAD + DAY
    current = first
    # The certificate that is shown then: an authority issues several in its life.
    current = renewed(current, NAMES, late - 2 * DAY, trusted=current.bundle)
    both = renewed(current, NAMES, late, trusted=current.bundle)
    assert len(both.authorities()) == 2
    assert both.authorities()[1].strip() == first.bundle.strip()
    assert both.chain == current.chain, "clients do not trust the new authority yet"
    assert renewed(both, NAMES, late, trusted=current.bundle) is both
    done = renewed(both, NAMES, late, trusted=both.bundle)
    assert is_issued_by(done.chain, both.authorities()[0])
    over = renewed(done, NAMES, late + AUTHORITY_AHEAD, trusted=both.bundle)
    while len(over.authorities()) == 2:
        over = renewed(over, NAMES, late + AUTHORITY_AHEAD, trusted=both.bundle)
    assert over.authorities() == both.authorities()[:1]


def test_an_authority_that_ended_is_replaced_at_once(first: Kept) -> None:
    second = renewed(first, NAMES, NOW + AUTHORITY_LASTS + DAY, trusted=first.bundle)
    assert len(second.authorities()) == 1
    assert second.bundle != first.bundle


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_broken_is_made_anew(first: Kept, entry: str) -> None:
    broken = Kept.of(
        {**texts(first), entry: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}
    )
    assert broken is not None
    mended = renewed(broken, NAMES, NOW + DAY, trusted=first.bundle)
    if entry == "tls.key":
        return  # a key that does not fit is told when it is loaded
    assert is_issued_by(mended.chain, mended.authorities()[0])


def test_a_key_that_is_another_ones_makes_everything_anew(first: Kept) -> None:
    other = renewed(None, NAMES, NOW)
    mixed = Kept(bundle=first.bundle, authority_key=other.authority_key, chain=first.chain, key=Secret("x"))
    assert renewed(mixed, NAMES, NOW).bundle != first.bundle
