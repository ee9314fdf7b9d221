"""Evaluating a platform policy for one image of a Pod: every check is run, and each says why.

1. the policy's allowlist;
2. the first check set whose scope matches the Pod, and its allowlist;
3. each check: its allowlist, then what it checks.

Not conformant outranks an error, and an error (what had to be known is not) outranks conformant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from sekisho.images.attest import Authority, IdentityMatch, Outcome, ask, simple_signing
from sekisho.images.evidence.facts import Build, Facts, Scan, Vulnerability
from sekisho.images.evidence.model import Found, Unanswered
from sekisho.images.evidence.simplesigning import BINARY_AUTHORIZATION_TYPES, COSIGN_TYPE
from sekisho.images.google import platformmodel as model
from sekisho.images.google.platformmodel import Check, CheckSet, PlatformPolicy, Severity, SlsaRule
from sekisho.images.google.platformpatterns import AllowPattern
from sekisho.oci import Reference


class Conformance(Enum):
    """The API's words for an outcome."""

    CONFORMANT = "CONFORMANT"
    NON_CONFORMANT = "NON_CONFORMANT"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one check said. ``allowlisted`` is the pattern that made it pass, if one did."""

    name: str
    kind: str
    verdict: Conformance
    explanation: str
    allowlisted: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the API shows it, with the pattern in the place of ``allowlistResult``."""
        shown: dict[str, Any] = {"displayName": self.name, "checkType": self.kind}
        if self.allowlisted:
            shown["allowlistResult"] = {"matchedPattern": self.allowlisted}
        return shown | {"verdict": self.verdict.value, "explanation": self.explanation}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResult:
    """What a policy said about one image."""

    image: str
    verdict: Conformance
    explanation: str
    check_set: str = ""
    checks: tuple[CheckResult, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        shown: dict[str, Any] = {
            "imageUri": self.image,
            "verdict": self.verdict.value,
            "explanation": self.explanation,
        }
        if self.check_set or self.checks:
            rows = [row.to_json() for row in self.checks]
            shown["checkSetResult"] = {"displayName": self.check_set, "checkResults": rows}
        return shown


def evaluate(
    image: Reference,
    policy: PlatformPolicy,
    facts: Facts,
    *,
    namespace: str,
    service_account: str,
    now: datetime,
) -> ImageResult:
    """Evaluate one image. Pure."""
    text = str(image)
    if found := _matched(image, policy.allowlist):
        why = f"the policy's allowlist has {found}"
        return ImageResult(image=text, verdict=Conformance.CONFORMANT, explanation=why)
    chosen = next((row for row in policy.check_sets if row.concerns(namespace, service_account)), None)
    if chosen is None:
        why = "the policy has no check set for this Pod"
        return ImageResult(image=text, verdict=Conformance.CONFORMANT, explanation=why)
    name = _title(chosen)
    if found := _matched(image, chosen.allowlist):
        why = f"the allowlist of the check set {name} has {found}"
        return ImageResult(image=text, verdict=Conformance.CONFORMANT, explanation=why, check_set=name)
    results = tuple(_run(check, image, facts, now) for check in chosen.checks)
    return ImageResult(
        image=text,
        verdict=worst(row.verdict for row in results),
        explanation="; ".join(
            row.explanation for row in results if row.verdict is not Conformance.CONFORMANT
        ),
        check_set=name,
        checks=results,
    )


def projects_asked(policy: PlatformPolicy) -> frozenset[str]:
    """The projects that checks of a policy name."""
    return frozenset(
        project for row in policy.check_sets for check in row.checks for project in _projects(check.what)
    )


def _projects(what: model.What) -> Iterable[str]:
    if isinstance(what, model.SimpleSigning | model.Vulnerabilities):
        return what.projects
    if isinstance(what, model.Slsa):
        return (project for rule in what.rules for project in rule.projects)
    return ()


def worst(verdicts: Iterable[Conformance]) -> Conformance:
    """The verdict over several."""
    found = set(verdicts)
    for row in (Conformance.NON_CONFORMANT, Conformance.ERROR):
        if row in found:
            return row
    return Conformance.CONFORMANT


def _title(chosen: CheckSet) -> str:
    return chosen.name or chosen.service_account or chosen.namespace or "default"


def _matched(image: Reference, patterns: Sequence[AllowPattern]) -> str:
    return next((row.text for row in patterns if row.matches(image)), "")


Said = tuple[Conformance, str]
PASS: Final = Conformance.CONFORMANT
FAIL: Final = Conformance.NON_CONFORMANT
ERROR: Final = Conformance.ERROR


def _run(check: Check, image: Reference, facts: Facts, now: datetime) -> CheckResult:
    name = check.name or check.kind
    if found := _matched(image, check.allowlist):
        why = f"the allowlist of {name} has {found}"
        return CheckResult(name=name, kind=check.kind, verdict=PASS, explanation=why, allowlisted=found)
    verdict, why = _RUN[type(check.what)](check.what, image, facts, now)
    return CheckResult(name=name, kind=check.kind, verdict=verdict, explanation=f"{name}: {why}")


def _deny(_: Any, image: Reference, __: Facts, ___: datetime) -> Said:
    return FAIL, f"{image} is always denied"


def _attested(image: Reference, places: Mapping[str, Found], authority: Authority, now: datetime) -> Said:
    """Whether one of several places has a statement by the authority."""
    reasons: list[str] = []
    unknown = False
    for place, found in places.items():
        answer = ask(image, authority, found, now=now)
        if answer.outcome is Outcome.ALLOW:
            return PASS, f"{answer.accepted[0].where} is by {answer.accepted[0].key_id}"
        unknown = unknown or answer.outcome is Outcome.COULD_NOT_ASK
        reasons.append(f"{place}: {answer.message}")
    return (ERROR if unknown else FAIL), "; ".join(reasons)


def _simple_signing(what: model.SimpleSigning, image: Reference, facts: Facts, now: datetime) -> Said:
    places = {
        project: facts.attestations.get(project, Unanswered(reason="it was not read"))
        for project in what.projects
    }
    check = simple_signing(BINARY_AUTHORIZATION_TYPES, IdentityMatch.DIGEST_ONLY)
    return _attested(image, places, Authority(name="attestation", keys=what.keys, check=check), now)


def _sigstore(what: model.SigstoreSignature, image: Reference, facts: Facts, now: datetime) -> Said:
    places = {"signatures": facts.signatures}
    check = simple_signing(frozenset((COSIGN_TYPE,)), IdentityMatch.DIGEST_ONLY)
    return _attested(image, places, Authority(name="signature", keys=what.keys, check=check), now)


GOOGLE_BUILDER: Final = "https://cloudbuild.googleapis.com/GoogleHostedWorker"
"""What provenance of Cloud Build names as its builder, up to a version."""


def _slsa(what: model.Slsa, _: Reference, facts: Facts, __: datetime) -> Said:
    said = [_slsa_rule(rule, facts) for rule in what.rules]
    for verdict in (PASS, ERROR):
        for row in said:
            if row[0] is verdict:
                return row
    return FAIL, "; ".join(why for _, why in said)


def _slsa_rule(rule: SlsaRule, facts: Facts) -> Said:
    if rule.constraints:
        return ERROR, "customConstraints are not evaluated here"
    builds: list[Build] = []
    for project in rule.projects or tuple(facts.builds):
        found = facts.builds.get(project, Unanswered(reason="it was not read"))
        if isinstance(found, Unanswered):
            return ERROR, f"{project}: {found.reason}"
        builds += found
    reasons = [problem for build in builds if (problem := _build_problem(rule, build))]
    if len(reasons) < len(builds):
        return PASS, "the provenance is as the rule wants it"
    return FAIL, "; ".join(reasons) or "there is no provenance"


def _build_problem(rule: SlsaRule, build: Build) -> str:
    if build.builder != GOOGLE_BUILDER and not build.builder.startswith(f"{GOOGLE_BUILDER}@"):
        return f"it was built by {build.builder or 'nobody named'}"
    if rule.config_based and not build.config_based:
        return "it was not built by a configuration file"
    # Every source counts: a trusted one beside a stranger's does not make the build trusted.
    others = [path for path in build.sources if not any(row.matches(path) for row in rule.sources)]
    if rule.sources and (others or not build.sources):
        return f"its sources are {', '.join(others) or 'not named'}"
    return ""


def _fresh(what: model.Freshness, _: Reference, facts: Facts, now: datetime) -> Said:
    if facts.uploaded is None or isinstance(facts.uploaded, Unanswered):
        reason = facts.uploaded.reason if isinstance(facts.uploaded, Unanswered) else "not read"
        return ERROR, f"when it was uploaded is not known: {reason}"
    age = now - facts.uploaded
    if age > timedelta(days=what.days):
        return FAIL, f"it was uploaded {age.days} days ago, and {what.days} are allowed"
    return PASS, f"it was uploaded {max(age.days, 0)} days ago"


def _vulnerable(what: model.Vulnerabilities, _: Reference, facts: Facts, __: datetime) -> Said:
    projects = what.projects or tuple(facts.scans)
    scans = {row: facts.scans.get(row, Unanswered(reason="it was not read")) for row in projects}
    done = [scan for scan in scans.values() if isinstance(scan, Scan) and scan.finished]
    if not done:
        reasons = [f"{name}: {row.reason}" for name, row in scans.items() if isinstance(row, Unanswered)]
        return ERROR, "; ".join(["no scan was found", *reasons])
    bad = [row for scan in done for row in scan.vulnerabilities if _too_grave(what, row)]
    if bad:
        return FAIL, "; ".join(f"{row.cve} is {row.severity}" for row in bad)
    return PASS, "no vulnerability is graver than allowed"


def _too_grave(what: model.Vulnerabilities, found: Vulnerability) -> bool:
    if found.cve in what.allowed:
        return False
    if found.cve in what.blocked:
        return True
    most = what.fixable if found.fixable else what.unfixable
    # A severity that is not known counts as the gravest.
    have = Severity.__members__.get(found.severity, Severity.CRITICAL)
    return most is Severity.BLOCK_ALL or (most is not Severity.ALLOW_ALL and have.value > most.value)


def _directory(what: model.TrustedDirectory, image: Reference, _: Facts, __: datetime) -> Said:
    name = image.name
    for pattern in what.patterns:
        if pattern.matches(name):
            return PASS, f"{name} is in {pattern.text}"
    return FAIL, f"{name} is in none of {', '.join(row.text for row in what.patterns)}"


_RUN: Final[Mapping[type, Callable[[Any, Reference, Facts, datetime], Said]]] = {
    model.AlwaysDeny: _deny,
    model.SimpleSigning: _simple_signing,
    model.SigstoreSignature: _sigstore,
    model.Slsa: _slsa,
    model.Freshness: _fresh,
    model.Vulnerabilities: _vulnerable,
    model.TrustedDirectory: _directory,
}
