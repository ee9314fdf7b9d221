"""A live audit of a cluster, put together: who judges, at which pace, and where its results go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from sekisho import audit, policy
from sekisho.audit.live import LiveAudit, Options, ReportWriter, Writer, paced
from sekisho.cli.auditing.export import Export, ExportWriter
from sekisho.cli.auditing.judging import PolicyJudging
from sekisho.cli.auditing.statuses import StatusWriter
from sekisho.kube.object import Object
from sekisho.policy.status.audit import VIOLATIONS

if TYPE_CHECKING:
    from sekisho.cluster.client import Client

SHARE: Final = 0.5
"""Of the time, at most, in a process that serves others too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditing:
    """How a cluster is audited. The names are those of Gatekeeper's flags.

    ``share`` is how much of the time the audit may take; 1 where the process has nothing else to do.
    ``engine_of`` makes the engine of policies, ``current`` gives the one that judges writes, where there is
    one; ``more`` are further takers of results; ``export`` is through which Connection violations go out.
    """

    interval: float = 60.0
    chunk: int = 500
    violations: int = VIOLATIONS.value
    owner_key: str = ""
    share: float = SHARE
    seconds: float = 10.0
    engine_of: Callable[[Sequence[Object]], policy.Engine] | None = None
    current: Callable[[], policy.Engine | None] | None = None
    more: Sequence[Writer] = field(default=())
    export: Export | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """An audit, and who judges in it."""

    audit: LiveAudit
    judging: PolicyJudging


def compose(client: Client, auditing: Auditing) -> Composed:
    """The audit of a client's cluster: statuses of constraints and reports are written by the same client."""
    options = Options(interval=auditing.interval, chunk=auditing.chunk)
    options = replace(options, pace=audit.Pace(seconds=auditing.seconds, spread=paced(auditing.share)))
    if auditing.owner_key:
        options = replace(options, owner_key=auditing.owner_key)
    judging = PolicyJudging(
        auditing.engine_of or engine_of, owner_key=options.owner_key, current=auditing.current
    )
    statuses = StatusWriter(client, judging, limit=auditing.violations)
    writers: tuple[Writer, ...] = (statuses, ReportWriter(client), *auditing.more)
    if auditing.export is not None:
        writers = (*writers, ExportWriter(client, judging, auditing.export))
    return Composed(audit=LiveAudit(client, judging, writers=writers, options=options), judging=judging)


def engine_of(objects: Sequence[Object]) -> policy.Engine:
    """The engine of policies, compiled through the cache of this user."""
    from sekisho.cli.programs import cached_choice, cached_compile

    compile, choice = cached_compile(enabled=True), cached_choice(enabled=True)
    return policy.Engine.build(objects, inventory=objects, compile=compile, choice=choice)
