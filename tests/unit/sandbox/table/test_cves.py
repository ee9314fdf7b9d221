"""Each call that a vulnerability needs is refused by the filter, or handed to the Sentry."""

from __future__ import annotations

import pytest
from tests.unit.sandbox.table.interpreter import run

from sekisho.sandbox.table import Profile, by_name, filter
from sekisho.sandbox.table.bpf import RET_ALLOW, RET_ERRNO, RET_NOTIFY, decode
from sekisho.sandbox.table.build import X86_64
from sekisho.sandbox.table.cves import CVES, Closer, Cve, Verdict

PROGRAMS = {profile: decode(filter(profile)) for profile in Profile}


@pytest.mark.parametrize("cve", [cve for cve in CVES if cve.attempts], ids=lambda cve: cve.ids[0])
def test_attempts_are_refused(cve: Cve) -> None:
    answers = {
        run(program, X86_64, by_name(name).number, args)
        for program in PROGRAMS.values()
        for name, args in cve.attempts
    }
    assert RET_ALLOW not in answers
    if cve.closer is Closer.FILTER:
        assert all(answer & 0xFFFF_0000 == RET_ERRNO for answer in answers)
        assert RET_ERRNO not in answers, "success without an effect would be a wrong answer"
    else:
        assert answers <= {RET_NOTIFY, *(answer for answer in answers if answer & 0xFFFF_0000 == RET_ERRNO)}


def test_rows_are_complete() -> None:
    ids = [name for cve in CVES for name in cve.ids]
    assert len(set(ids)) == len(ids)
    for cve in CVES:
        assert (cve.closer is Closer.NOTHING) == (cve.verdict in (Verdict.RESIDUAL, Verdict.HARDWARE))
        assert bool(cve.attempts) >= (cve.closer is Closer.FILTER)
