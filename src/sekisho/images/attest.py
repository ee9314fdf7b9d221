"""Whether an attestor attested an image: the reference algorithm, with every rejection.

For each attestation that is attached to the attestor's note:

1. each signature is tried with the attestor's keys of exactly its id, or with all if it names none;
2. the key must count at this moment (its window);
3. the signature is verified over the stored bytes, by the key's own algorithm;
4. only then the payload is read, strictly: one JSON value, no repeated key, a known type;
5. its digest is the image's;
6. where identity matters, its repository is the image's, in normal form.

The first that passes suffices. That the evidence could not be had is an answer of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from sekisho.diag import DiagnosticError
from sekisho.images.evidence.dsse import pae
from sekisho.images.evidence.model import Attestation, Form, Found, Signature, Unanswered
from sekisho.images.evidence.simplesigning import (
    BINARY_AUTHORIZATION_TYPES,
    BadEvidenceError,
    SimpleSigning,
    read_payload,
)
from sekisho.images.signing.pgp import is_named, pgp_verifies
from sekisho.images.signing.verify import verifies
from sekisho.oci.reference import parse_reference

if TYPE_CHECKING:
    from sekisho.images.google.attestor import Attestor
    from sekisho.images.signing.keys import PublicKey
    from sekisho.images.signing.pgp import PgpKey
    from sekisho.oci import Reference


class Outcome(Enum):
    """What became of a question. Could-not-ask is neither yes nor no; the failure policy decides."""

    ALLOW = "allow"
    DENY = "deny"
    COULD_NOT_ASK = "could-not-ask"


class IdentityMatch(Enum):
    """What of a payload's identity must agree with the image: Google asks the digest alone, Kritis both."""

    DIGEST_ONLY = "digestOnly"
    REPOSITORY = "repository"


class Why(Enum):
    """Why an attestation was rejected, as programs read it."""

    UNKNOWN_KEY = "unknown-key"
    KEY_NOT_IN_FORCE = "key-not-in-force"
    BAD_SIGNATURE = "bad-signature"
    UNREADABLE = "unreadable"
    WRONG_TYPE = "wrong-type"
    WRONG_DIGEST = "wrong-digest"
    WRONG_REPOSITORY = "wrong-repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An attestation (or one signature of it) that did not count."""

    where: str
    key_id: str
    why: Why
    message: str

    def to_json(self) -> dict[str, str]:
        """As reports show it."""
        return {"attestation": self.where, "key": self.key_id, "why": self.why.value, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestorAnswer:
    """One attestor's answer: what convinced, or everything that did not."""

    attestor: str
    outcome: Outcome
    message: str = ""
    by: str = ""
    key_id: str = ""
    rejections: tuple[Rejection, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As reports show it."""
        found: dict[str, Any] = {"attestor": self.attestor, "outcome": self.outcome.value}
        if self.outcome is Outcome.ALLOW:
            return found | {"attestation": self.by, "key": self.key_id}
        rows = [row.to_json() for row in self.rejections]
        return found | {"message": self.message, "rejections": rows}


NO_DIGEST = "Expected digest with sha256 scheme, but got tag or malformed digest"
NONE_VALID = "No attestations found that were valid and signed by a key trusted by the attestor"


def ask_attestor(
    image: Reference,
    attestor: Attestor,
    found: Found,
    *,
    now: datetime,
    identity: IdentityMatch = IdentityMatch.DIGEST_ONLY,
) -> AttestorAnswer:
    """Whether ``found``, what the attestor's note holds about the image, attests it. Pure."""
    if not image.digest.startswith("sha256:"):
        return AttestorAnswer(attestor=attestor.name, outcome=Outcome.DENY, message=NO_DIGEST)
    if not (attestor.keys or attestor.pgp_keys):
        message = f"{NONE_VALID} (it has no keys)"
        return AttestorAnswer(attestor=attestor.name, outcome=Outcome.DENY, message=message)
    if isinstance(found, Unanswered):
        return AttestorAnswer(attestor=attestor.name, outcome=Outcome.COULD_NOT_ASK, message=found.reason)
    rejections: list[Rejection] = []
    for attestation in found:
        for signature in attestation.signatures:
            key = _verified(attestation, signature, attestor, now, rejections)
            if key is None:
                continue
            problem = _problem(attestation, image, identity)
            if problem is None:
                return AttestorAnswer(
                    attestor=attestor.name,
                    outcome=Outcome.ALLOW,
                    by=attestation.where,
                    key_id=key.id,
                    rejections=tuple(rejections),
                )
            rejections.append(_rejection(attestation, key.id, *problem))
    return AttestorAnswer(
        attestor=attestor.name, outcome=Outcome.DENY, message=NONE_VALID, rejections=tuple(rejections)
    )


def _verified(
    attestation: Attestation,
    signature: Signature,
    attestor: Attestor,
    now: datetime,
    rejections: list[Rejection],
) -> PublicKey | PgpKey | None:
    """Steps 1 to 3: the key that a signature is by."""
    named = signature.key_id
    if attestation.form is Form.PGP:
        certificates = [key for key in attestor.pgp_keys if is_named(key, named)]
        by = pgp_verifies(certificates, attestation.payload, signature.value) if certificates else None
        if by is None:
            rejections.append(_unverified(attestation, named, known=bool(certificates)))
        return by
    keys = [key for key in attestor.keys if not named or key.id == named]
    if not keys:
        rejections.append(_unverified(attestation, named, known=False))
        return None
    signed = attestation.payload
    if attestation.form is Form.DSSE:
        signed = pae(attestation.payload_type, signed)
    for key in keys:
        if problem := key.window.problem(now):
            rejections.append(_rejection(attestation, key.id, Why.KEY_NOT_IN_FORCE, problem))
        elif verifies(key, signed, signature.value):
            return key
        else:
            rejections.append(_unverified(attestation, key.id, known=True))
    return None


def _unverified(attestation: Attestation, key_id: str, *, known: bool) -> Rejection:
    if known:
        message = "the signature does not verify over the stored payload"
        return _rejection(attestation, key_id, Why.BAD_SIGNATURE, message)
    return _rejection(attestation, key_id, Why.UNKNOWN_KEY, f"the attestor has no key {key_id}".rstrip())


def _problem(attestation: Attestation, image: Reference, identity: IdentityMatch) -> tuple[Why, str] | None:
    """Steps 4 to 6: what is wrong with a payload whose signature is good."""
    try:
        payload = read_payload(attestation.payload)
    except BadEvidenceError as error:
        return Why.UNREADABLE, f"Signature verified, but the payload cannot be read: {error}"
    return next(_differences(payload, image, identity), None)


def _differences(
    payload: SimpleSigning, image: Reference, identity: IdentityMatch
) -> Iterator[tuple[Why, str]]:
    said = "Signature verified, but unexpected message was signed: "
    if payload.type.lower() not in BINARY_AUTHORIZATION_TYPES:
        yield Why.WRONG_TYPE, f"{said}its type is {payload.type}"
    if payload.digest != image.digest:
        yield Why.WRONG_DIGEST, f"{said}it is about {payload.digest}"
    if identity is IdentityMatch.REPOSITORY and _normal(payload.repository) != image.name:
        yield Why.WRONG_REPOSITORY, f"{said}it is about {payload.repository}"


def _normal(repository: str) -> str:
    """A payload's repository in normal form; empty if it is none, or says more than a repository."""
    try:
        reference = parse_reference(repository)
    except DiagnosticError:
        return ""
    return "" if reference.tag or reference.digest else reference.name


def _rejection(attestation: Attestation, key_id: str, why: Why, message: str) -> Rejection:
    return Rejection(where=attestation.where, key_id=key_id, why=why, message=message)
