"""Whether an image may run, by a project's policy: the order of Binary Authorization, every step told.

1. the system policy, where the project's policy lets it count: its images are exempt;
2. the allowlist: images that match a pattern are exempt;
3. the rule for the place, else the default rule;
4. its mode; where attestations are asked every attestor must answer yes.

Break-glass and dry run do not change the answer, they change what it brings about: whoever enforces looks at
``enforcement``, and grants are asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sekisho.images.attest import AttestorAnswer, IdentityMatch, Outcome, ask_attestor
from sekisho.images.evidence.model import Found, Unanswered
from sekisho.images.google.attestor import Attestor
from sekisho.images.google.patterns import NamePattern
from sekisho.images.google.policy import Enforcement, Mode, Place, Policy
from sekisho.oci import Reference

DENIES: Final = "Denied by always_deny admission rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a policy refers to: attestors by name, and the system policy's patterns."""

    attestors: Mapping[str, Attestor] = field(default_factory=dict)
    system: tuple[NamePattern, ...] = ()
    identity: IdentityMatch = IdentityMatch.DIGEST_ONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was tried, and what it said."""

    rule: str
    result: str

    def to_json(self) -> dict[str, str]:
        """As reports show it."""
        return {"rule": self.rule, "result": self.result}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a policy says about one image. ``message`` is Google's text; empty if the image is allowed."""

    image: str
    outcome: Outcome
    rule: str
    enforcement: Enforcement = Enforcement.BLOCK
    message: str = ""
    steps: tuple[Step, ...] = ()
    attestors: tuple[AttestorAnswer, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether it keeps the image from running, could-not-ask aside."""
        return self.outcome is Outcome.DENY and self.enforcement is Enforcement.BLOCK

    def to_json(self) -> dict[str, Any]:
        """As reports show it: stable, documented in docs/guide/images.md."""
        return {
            "image": self.image,
            "outcome": self.outcome.value,
            "rule": self.rule,
            "enforcementMode": self.enforcement.value,
            "message": self.message,
            "steps": [row.to_json() for row in self.steps],
            "attestors": [row.to_json() for row in self.attestors],
        }


def attestors_asked(image: Reference, policy: Policy, place: Place, trust: Trust) -> tuple[str, ...]:
    """Whose notes must be read to answer; none for an image that is exempt or is allowed or denied anyway.

    An image without a digest asks nobody: it will be refused, not resolved.
    """
    if _exempt(image, policy, trust) or not image.digest:
        return ()
    return policy.rule_for(place)[0].attestors


def authorize(
    image: Reference,
    policy: Policy,
    evidence: Mapping[str, Found],
    *,
    place: Place,
    trust: Trust,
    now: datetime,
) -> Answer:
    """Answer for one image. ``evidence`` is by attestor, for those that ``attestors_asked`` names. Pure."""
    text = str(image)
    if exempt := _exempt(image, policy, trust):
        return Answer(image=text, outcome=Outcome.ALLOW, rule=exempt.rule, steps=(exempt,))
    rule, title = policy.rule_for(place)
    steps = (*_unmatched(policy, trust), Step(rule=title, result=rule.mode.value))
    if rule.mode is Mode.ALWAYS_ALLOW:
        return Answer(
            image=text, outcome=Outcome.ALLOW, rule=title, enforcement=rule.enforcement, steps=steps
        )
    denied = f"Image {text} denied by Binary Authorization {title}."
    if rule.mode is Mode.ALWAYS_DENY:
        return Answer(
            image=text,
            outcome=Outcome.DENY,
            rule=title,
            enforcement=rule.enforcement,
            message=f"{denied} {DENIES}",
            steps=steps,
        )
    answers = tuple(_ask(name, image, evidence, trust, now) for name in rule.attestors)
    outcome = _all_of(answers)
    said = ". ".join(
        f"Image {text} denied by attestor {row.attestor}: {row.message}"
        for row in answers
        if row.outcome is outcome
    )
    return Answer(
        image=text,
        outcome=outcome,
        rule=title,
        enforcement=rule.enforcement,
        message="" if outcome is Outcome.ALLOW else f"{denied} {said}",
        steps=steps,
        attestors=answers,
    )


def _exempt(image: Reference, policy: Policy, trust: Trust) -> Step | None:
    """The pattern that exempts an image, if there is one."""
    lists: Sequence[tuple[str, Sequence[NamePattern]]] = (
        ("system policy", trust.system if policy.system_policy else ()),
        ("admissionWhitelistPatterns", policy.allowlist),
    )
    for title, patterns in lists:
        for pattern in patterns:
            if pattern.matches(image):
                return Step(rule=f"{title}: {pattern.text}", result="exempt")
    return None


def _unmatched(policy: Policy, trust: Trust) -> tuple[Step, ...]:
    rows = []
    if policy.system_policy:
        rows.append(Step(rule="system policy", result=f"none of {len(trust.system)} patterns matches"))
    if policy.allowlist:
        result = f"none of {len(policy.allowlist)} patterns matches"
        rows.append(Step(rule="admissionWhitelistPatterns", result=result))
    return tuple(rows)


def _ask(
    name: str, image: Reference, evidence: Mapping[str, Found], trust: Trust, now: datetime
) -> AttestorAnswer:
    attestor = trust.attestors.get(name)
    if attestor is None:
        # Google refuses such a policy; here it may come before its attestors, and denies until then.
        return AttestorAnswer(attestor=name, outcome=Outcome.DENY, message="The attestor does not exist")
    found = evidence.get(name, Unanswered(reason="its note was not read"))
    return ask_attestor(image, attestor, found, now=now, identity=trust.identity)


def _all_of(answers: Sequence[AttestorAnswer]) -> Outcome:
    """Yes if all say yes; a no is a no whatever others could not say."""
    outcomes = {row.outcome for row in answers}
    if Outcome.DENY in outcomes or not outcomes:
        return Outcome.DENY
    return Outcome.COULD_NOT_ASK if Outcome.COULD_NOT_ASK in outcomes else Outcome.ALLOW
