"""What Kritis' policies say about the images of one Pod, in Kritis' words.

Generic attestation policies: any one whose authorities all attest an image lets it through; the allowlists of
all of a namespace's policies are one. Image security policies: every one must let it through.

Ways around that Kritis has, and that are closed here: a Pod whose owner lists the image is asked about like
any other (``images.judge``); so are updates, Deployments' updates and ephemeral containers; a policy is about
its own namespace alone; an attestation does not keep vulnerabilities from being looked at; a scan that is not
finished is not a scan without findings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sekisho.images.attest import Authority as Asked
from sekisho.images.attest import IdentityMatch, Outcome, ask, simple_signing
from sekisho.images.evidence.facts import Scan, Vulnerability
from sekisho.images.evidence.model import Found, Unanswered
from sekisho.images.evidence.simplesigning import BINARY_AUTHORIZATION_TYPES
from sekisho.images.kritis.resources import (
    ALLOW_ALL,
    BLOCK_ALL,
    SEVERITIES,
    AttestationPolicy,
    Authority,
    Bounds,
    Kritis,
    SecurityPolicy,
)
from sekisho.oci import Reference

ADMITTED: Final = "Successfully admitted."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Who is asked: what a note holds about an image, and what a scan of it found. Both answer at once."""

    attestations: Callable[[str, Reference], Found]
    scan: Callable[[Reference], Scan | Unanswered]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The answer about one image. ``policy`` is the one that refuses it, if one does alone."""

    outcome: Outcome
    message: str = ADMITTED
    policy: str = ""
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each generic attestation policy, the authorities that do not attest the image."""


def review(
    image: Reference, written: str, namespace: str, kritis: Kritis, sources: Sources, *, now: datetime
) -> Review:
    """Review one image. ``written`` is its text in the Pod, as security policies list it. Pure."""
    if namespace in kritis.broken:
        message = kritis.broken[namespace]
        return Review(outcome=Outcome.DENY, message=message, policy="malformed")
    gaps = [row for row in kritis.attestation if row.namespace == namespace]
    found = _attested(image, gaps, kritis, sources, now)
    if found.outcome is not Outcome.ALLOW:
        return found
    for policy in kritis.security:
        if policy.namespace == namespace:
            found = _secure(image, written, policy, sources)
            if found.outcome is not Outcome.ALLOW:
                return found
    return Review(outcome=Outcome.ALLOW)


def _attested(
    image: Reference, gaps: Sequence[AttestationPolicy], kritis: Kritis, sources: Sources, now: datetime
) -> Review:
    for gap in gaps:
        if wrong := _malformed(gap, kritis):
            return Review(outcome=Outcome.DENY, message=wrong, policy=gap.name)
    if not gaps or any(pattern.matches(image) for gap in gaps for pattern in gap.allowlist):
        return Review(outcome=Outcome.ALLOW)
    missing: dict[str, tuple[str, ...]] = {}
    unknown = ""
    for gap in gaps:
        unsatisfied: list[str] = []
        for name in gap.authorities:
            authority = kritis.authorities[gap.namespace, name]
            outcome, reason = _ask(image, authority, sources, now)
            unknown = unknown or (reason if outcome is Outcome.COULD_NOT_ASK else "")
            if outcome is not Outcome.ALLOW:
                unsatisfied.append(name)
        if not unsatisfied:
            return Review(outcome=Outcome.ALLOW)
        missing[gap.name] = tuple(unsatisfied)
    if unknown:
        return Review(outcome=Outcome.COULD_NOT_ASK, message=unknown, missing=missing)
    return Review(outcome=Outcome.DENY, message=_not_attested(image, missing), missing=missing)


def _malformed(gap: AttestationPolicy, kritis: Kritis) -> str:
    if not gap.authorities:
        return f"Generic attestation policy {gap.name} did not specify any attestation authority."
    for name in gap.authorities:
        if (gap.namespace, name) not in kritis.authorities:
            return f"Error getting attestors: attestation authority {name} not found"
    return ""


def _ask(image: Reference, authority: Authority, sources: Sources, now: datetime) -> tuple[Outcome, str]:
    """Kritis compares the repository too, and takes any type of payload that it knows."""
    asked = Asked(
        name=authority.name,
        keys=authority.keys,
        pgp_keys=authority.pgp_keys,
        check=simple_signing(BINARY_AUTHORIZATION_TYPES, IdentityMatch.REPOSITORY),
    )
    answer = ask(image, asked, sources.attestations(authority.note, image), now=now)
    return answer.outcome, answer.message


def _not_attested(image: Reference, missing: Mapping[str, tuple[str, ...]]) -> str:
    lines = [
        "1 images are not attested by all authorities in any GAP policy:",
        f"- image {image} is not attested by",
    ]
    for gap, names in missing.items():
        quoted = " ".join(f'"{name}"' for name in names)
        lines.append(f"  - [{quoted}] in gap {gap}")
    return "\n".join(lines)


def _secure(image: Reference, written: str, policy: SecurityPolicy, sources: Sources) -> Review:
    if written in policy.allowlist:
        return Review(outcome=Outcome.ALLOW)
    if not image.digest:
        message = f"{written} is not a fully qualified image"
        return Review(outcome=Outcome.DENY, message=message, policy=policy.name)
    scan = sources.scan(image)
    if isinstance(scan, Unanswered) or not scan.finished:
        reason = scan.reason if isinstance(scan, Unanswered) else "its scan is not finished"
        message = f"the vulnerabilities of {image} are not known: {reason}"
        return Review(outcome=Outcome.COULD_NOT_ASK, message=message, policy=policy.name)
    bad = [row for row in scan.vulnerabilities if too_grave(policy.bounds, row)]
    if not bad:
        return Review(outcome=Outcome.ALLOW)
    which = "; ".join(f"{row.cve} is {row.severity}" for row in bad)
    return Review(outcome=Outcome.DENY, message=f"found violations in {image}: {which}", policy=policy.name)


def too_grave(bounds: Bounds, found: Vulnerability) -> bool:
    """Whether a vulnerability is graver than bounds allow; a severity that is not known is the gravest."""
    if found.cve in bounds.cves:
        return False
    most = bounds.fixable if found.fixable else bounds.unfixable
    if most in (BLOCK_ALL, ALLOW_ALL):
        return most == BLOCK_ALL
    if found.severity == "SEVERITY_UNSPECIFIED":
        return False
    known = SEVERITIES.index(found.severity) if found.severity in SEVERITIES else len(SEVERITIES)
    return known > SEVERITIES.index(most)
