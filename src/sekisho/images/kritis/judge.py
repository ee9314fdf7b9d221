"""The judge of the chain of ``kube.review`` for Kritis' policies: every image, at its field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sekisho.diag import Deadline, Diagnostic, DiagnosticError
from sekisho.images import codes
from sekisho.images.attest import Outcome
from sekisho.images.judge import UNCHANGED, images_asked, verdict_of
from sekisho.images.kritis.decide import Sources, review
from sekisho.images.kritis.resources import Kritis
from sekisho.kube.ladder import Rung
from sekisho.kube.review import ALLOWED, Finding, Request, Verdict
from sekisho.oci import parse_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class KritisJudge:
    """Judges by all of Kritis' policies; ``sources`` answer at once."""

    kritis: Kritis
    sources: Sources

    def __call__(self, request: Request, *, now: datetime, deadline: Deadline) -> Verdict:  # noqa: ARG002 - pure and quick
        """The verdict on a request; requests about other things are allowed."""
        asked = images_asked(request)
        if asked is None:
            return ALLOWED
        findings: list[Finding] = []
        failures: list[Diagnostic] = []
        namespace = request.namespace or "default"
        for image in asked.images:
            at = asked.object.at(*image.path)
            try:
                reference = parse_reference(image.reference)
            except DiagnosticError as error:
                message = error.diagnostics[0].message
                wrong = Diagnostic(code=codes.UNREADABLE_IMAGE, message=message, at=at)
                findings.append(Finding.of(wrong, Rung.DENY))
                continue
            found = review(reference, image.reference, namespace, self.kritis, self.sources, now=now)
            if found.outcome is Outcome.COULD_NOT_ASK:
                failures.append(Diagnostic(code=codes.NOT_ASKED, message=found.message, at=at))
            elif found.outcome is Outcome.DENY:
                policy = f"kritis/{found.policy or 'GenericAttestationPolicy'}"
                diagnostic = Diagnostic(code=codes.DENIED, message=found.message, at=at, policy=policy)
                finding = Finding.of(diagnostic, Rung.DENY, line=found.message)
                unchanged = (image.path, image.reference) in asked.before
                findings.append(finding.lowered(Rung.WARN, UNCHANGED) if unchanged else finding)
        return verdict_of(findings, failures, [])
