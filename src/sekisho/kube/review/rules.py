"""What lowers enforcement, out of a pile of objects; and what is to be said of the waivers in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Level
from sekisho.kube import codes
from sekisho.kube.breakglass import BREAK_GLASS, BreakGlass
from sekisho.kube.ladder import API_VERSION, WAIVERS
from sekisho.kube.object import Object
from sekisho.kube.owner import OWNER_KEY, Lookup
from sekisho.kube.review.enforce import Rules
from sekisho.kube.rollout import ROLLOUT, Rollout
from sekisho.kube.waiver import WAIVER, Waiver
from sekisho.kube.waivernote import GRANT, WaiverGrant

GROUPS: Final = frozenset(version.partition("/")[0] for version in (API_VERSION, WAIVERS))
"""The groups whose objects lower enforcement."""

LONGEST: Final = timedelta(days=180)
"""A waiver with an end further away is told: what is accepted for half a year is no exception any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The rules among some objects, what was wrong with others, their objects, and the waivers."""

    rules: Rules
    problems: tuple[Diagnostic, ...] = ()
    objects: tuple[Object, ...] = ()
    waivers: tuple[tuple[Object, Waiver], ...] = ()


def load_rules(
    objects: Iterable[Object], *, owner_key: str = OWNER_KEY, lookup: Lookup | None = None
) -> Loaded:
    """The Rollouts, Waivers, WaiverGrants and BreakGlass objects among these; a wrong one lowers nothing."""
    found: dict[str, list[Any]] = {kind.kind: [] for kind in (ROLLOUT, WAIVER, GRANT, BREAK_GLASS)}
    waivers: list[tuple[Object, Waiver]] = []
    problems: list[Diagnostic] = []
    rows = tuple(row for row in objects if row.gvk.group in GROUPS)
    for object in rows:
        kind = next((row for row in (ROLLOUT, WAIVER, GRANT, BREAK_GLASS) if row.is_(object)), None)
        if kind is None:
            message = f"{object.api_version} has no kind {object.kind}; nothing is lowered by this"
            problems.append(Diagnostic(code=codes.BAD_VALUE, message=message, at=object.at("kind")))
            continue
        try:
            value = kind.decode(object)
        except DiagnosticError as error:
            problems += error.diagnostics
            continue
        found[kind.kind].append(value)
        if isinstance(value, Waiver):
            waivers.append((object, value))
    rollouts: list[Rollout] = found["Rollout"]
    glass: list[BreakGlass] = found["BreakGlass"]
    grants: list[WaiverGrant] = found["WaiverGrant"]
    rules = Rules(
        rollouts=tuple(rollouts),
        waivers=tuple(waiver for _, waiver in waivers),
        grants=tuple(grants),
        break_glass=tuple(glass),
        owner_key=owner_key,
        lookup=lookup,
    )
    return Loaded(rules=rules, problems=tuple(problems), objects=rows, waivers=tuple(waivers))


def waiver_findings(
    waivers: Iterable[tuple[Object, Waiver]], used: AbstractSet[str], now: datetime
) -> Iterator[Diagnostic]:
    """What is wrong with waivers: expired, unused (their names are not in ``used``), too wide, too long."""
    for object, waiver in waivers:
        until = f"{waiver.expires:%Y-%m-%d %H:%M}Z"
        if not waiver.in_force(now):
            message = f"Waiver {waiver.name} expired at {until} and waives nothing any more"
            yield _warning(codes.EXPIRED_WAIVER, object, message, "expires", help="delete it, or decide anew")
            continue
        if waiver.name not in used:
            message = f"Waiver {waiver.name} waives nothing of what was judged"
            yield _warning(codes.UNUSED_WAIVER, object, message, help="delete it if the cause is mended")
        for field, why in _width(waiver, now):
            yield _warning(codes.WIDE_WAIVER, object, f"Waiver {waiver.name} is too wide: {why}", field)


def _width(waiver: Waiver, now: datetime) -> Iterator[tuple[str, str]]:
    if any(not pattern.strip("*/") for pattern in waiver.policies):
        yield "policies", "it waives every policy"
    if not waiver.fingerprints and not _narrow(waiver):
        yield "match", "it names no namespace, name, label or owner"
    if waiver.expires - now > LONGEST:
        yield "expires", f"it lasts for more than {LONGEST.days} days"


def _narrow(waiver: Waiver) -> bool:
    match = waiver.match
    named = any(row.strip("*") for row in (*match.namespaces, *match.names))
    selected = match.namespace_selector is not None or match.label_selector is not None
    return named or selected or bool(match.owners)


def _warning(code: Code, object: Object, message: str, field: str = "", *, help: str = "") -> Diagnostic:
    at = object.at("spec", field) if field else object.at("metadata", "name")
    return Diagnostic(code=code, message=message, level=Level.WARNING, at=at, help=help)
