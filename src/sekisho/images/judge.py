"""The judge of the chain of ``kube.review``: every image that an object's pods will use, at its field.

Pods are asked about, and what makes Pods: so the person who applies a Deployment is told, and not an event of
a ReplicaSet. Numbered, since each step is somebody's way around:

1. CREATE and UPDATE, of the object and of ``pods/ephemeralcontainers``; every list of containers, and image
   volumes.
2. A reference that cannot be read is refused; no normal form, no verdict.
3. An image that the old object used in the same place runs, or will by an earlier answer: what it is denied
   for is told as a warning, so that scaling down and labelling work. It is judged all the same, and the Pods
   that come of it are asked about themselves. Owners are not looked at: anybody may write one.
4. A rule in dry run observes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sekisho.diag import Deadline, Diagnostic, DiagnosticError
from sekisho.images import codes
from sekisho.images.attest import Outcome
from sekisho.images.authorize import Answer, Trust, attestors_asked, authorize
from sekisho.images.evidence.model import Found
from sekisho.images.google.attestor import Attestor
from sekisho.images.google.policy import Enforcement, Place, Policy
from sekisho.kube.ladder import Rung
from sekisho.kube.object import Object
from sekisho.kube.podspec import Image, PodSpec, pod_spec
from sekisho.kube.review import ALLOWED, Finding, Operation, Request, Verdict
from sekisho.oci import Reference, parse_reference

EPHEMERAL: Final = "ephemeralcontainers"
UNCHANGED: Final = "the object used this image before, so it is not refused now"

Look = Callable[[Attestor, Reference], Found]
"""What an attestor's note holds about an image."""


Use = tuple[tuple[str | int, ...], str]
"""Where an image is used, and which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesAsked:
    """The images that a request is about, and those that the old object used, by place."""

    object: Object
    spec: PodSpec
    images: tuple[Image, ...]
    before: frozenset[Use]


def images_asked(request: Request) -> ImagesAsked | None:
    """Step 1: what a request asks about images; None if it is about other things."""
    if request.operation not in (Operation.CREATE, Operation.UPDATE) or request.object is None:
        return None
    if request.subresource not in ("", EPHEMERAL):
        return None
    spec = pod_spec(request.object)
    if spec is None:
        return None
    return ImagesAsked(
        object=request.object,
        spec=spec,
        images=tuple(spec.images()),
        before=_uses(request.old_object),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Judges by one policy. ``look`` must answer at once; ``cluster`` is ``location.name``, if known."""

    policy: Policy
    trust: Trust
    look: Look
    cluster: str = ""

    def __call__(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:
        """The verdict on a request; requests about other things are allowed."""
        asked = images_asked(request)
        if asked is None:
            return ALLOWED
        findings: list[Finding] = []
        failures: list[Diagnostic] = []
        evidence: list[Mapping[str, Any]] = []
        for image in asked.images:
            if deadline.passed():
                failures.append(self._unasked(asked.object, image, "there was no time left"))
                break
            try:
                answer = self._answer(image, asked.spec, request, now)
            except DiagnosticError as error:
                found = _finding(asked.object, image, codes.UNREADABLE_IMAGE, error.diagnostics[0].message)
                findings.append(Finding.of(found, Rung.DENY))
                continue
            evidence.append(answer.to_json())
            if answer.outcome is Outcome.COULD_NOT_ASK and answer.enforcement is Enforcement.BLOCK:
                failures.append(self._unasked(asked.object, image, answer.message))
            elif answer.outcome is not Outcome.ALLOW:
                findings.append(self._denied(asked.object, image, answer, asked.before))
        return verdict_of(findings, failures, evidence)

    def _answer(self, image: Image, spec: PodSpec, request: Request, now: datetime) -> Answer:
        reference = parse_reference(image.reference)
        account = spec.raw.get("serviceAccountName") or spec.raw.get("serviceAccount")
        place = Place(
            namespace=request.namespace or "default",
            service_account=account if isinstance(account, str) else "",
            cluster=self.cluster,
        )
        asked = attestors_asked(reference, self.policy, place, self.trust)
        known = [self.trust.attestors[name] for name in asked if name in self.trust.attestors]
        found = {attestor.name: self.look(attestor, reference) for attestor in known}
        return authorize(reference, self.policy, found, place=place, trust=self.trust, now=now)

    def _denied(self, object: Object, image: Image, answer: Answer, before: frozenset[Use]) -> Finding:
        blocks = answer.enforcement is Enforcement.BLOCK
        diagnostic = _finding(object, image, codes.DENIED, answer.message, policy=self._name(answer))
        finding = Finding.of(
            diagnostic,
            Rung.DENY if blocks else Rung.OBSERVE,
            word=answer.enforcement.value,
            line=answer.message,
        )
        unchanged = blocks and (image.path, image.reference) in before
        return finding.lowered(Rung.WARN, UNCHANGED) if unchanged else finding

    def _unasked(self, object: Object, image: Image, why: str) -> Diagnostic:
        return _finding(object, image, codes.NOT_ASKED, why)

    def _name(self, answer: Answer) -> str:
        return f"{self.policy.name or 'BinaryAuthorization'}/{answer.rule}"


def _uses(object: Object | None) -> frozenset[Use]:
    spec = pod_spec(object) if object is not None else None
    return frozenset((row.path, row.reference) for row in spec.images()) if spec else frozenset()


def _finding(object: Object, image: Image, code: Any, message: str, *, policy: str = "") -> Diagnostic:
    return Diagnostic(code=code, message=message, at=object.at(*image.path), policy=policy)


def verdict_of(
    findings: list[Finding], failures: list[Diagnostic], evidence: list[Mapping[str, Any]]
) -> Verdict:
    """A no stands, whatever could not be asked beside it."""
    verdict = Verdict.of(findings, failures=tuple(failures), evidence=tuple(evidence))
    if failures and verdict.allowed:
        return Verdict(
            outcome=verdict.outcome.COULD_NOT_ASK,
            findings=verdict.findings,
            failures=verdict.failures,
            evidence=verdict.evidence,
        )
    return verdict
