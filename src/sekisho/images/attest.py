"""Whether an authority attested an image: the reference algorithm, with every rejection.

For each attestation that was found:

1. each signature is tried with the authority's keys of exactly its id, or with all if it names none;
2. the key must count at this moment (its window);
3. the signature is verified over the stored bytes, by the key's own algorithm;
4. only then the payload is read (``Check``), strictly: one JSON value, no repeated key, a known type;
5. its digest is the image's;
6. where identity matters, its repository is the image's, in normal form.

As many different keys as the threshold must pass; the first that suffice end the search. That the evidence
could not be had is an answer of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
class Acceptance:
    """An attestation that counted, and the key that it is by."""

    where: str
    key_id: str

    def to_json(self) -> dict[str, str]:
        """As reports show it."""
        return {"attestation": self.where, "key": self.key_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestorAnswer:
    """One authority's answer: what convinced, and everything that did not on the way."""

    attestor: str
    outcome: Outcome
    message: str = ""
    accepted: tuple[Acceptance, ...] = ()
    rejections: tuple[Rejection, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As reports show it."""
        return {
            "attestor": self.attestor,
            "outcome": self.outcome.value,
            "message": self.message,
            "accepted": [row.to_json() for row in self.accepted],
            "rejections": [row.to_json() for row in self.rejections],
        }


Check = Callable[[Attestation, "Reference"], tuple[Why, str] | None]
"""Steps 4 to 6: what is wrong with a payload whose signature is good, None if nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Who is asked: keys, how their payloads are read, and how many different keys must have signed."""

    name: str
    keys: tuple[PublicKey, ...] = ()
    pgp_keys: tuple[PgpKey, ...] = ()
    check: Check
    threshold: int = 1
    required: tuple[str, ...] = ()
    """Ids of keys that must be among those that signed."""


NO_DIGEST = "Expected digest with sha256 scheme, but got tag or malformed digest"
UNEXPECTED = "Signature verified, but unexpected message was signed:"
NO_KEY = "the attestor has no key"
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
    authority = Authority(
        name=attestor.name,
        keys=attestor.keys,
        pgp_keys=attestor.pgp_keys,
        check=simple_signing(BINARY_AUTHORIZATION_TYPES, identity),
    )
    return ask(image, authority, found, now=now)


def ask(image: Reference, authority: Authority, found: Found, *, now: datetime) -> AttestorAnswer:
    """Whether what was found about an image attests it, as an authority wants it. Pure."""
    if not image.digest.startswith("sha256:"):
        return AttestorAnswer(attestor=authority.name, outcome=Outcome.DENY, message=NO_DIGEST)
    if not (authority.keys or authority.pgp_keys):
        message = f"{NONE_VALID} (it has no keys)"
        return AttestorAnswer(attestor=authority.name, outcome=Outcome.DENY, message=message)
    if isinstance(found, Unanswered):
        return AttestorAnswer(attestor=authority.name, outcome=Outcome.COULD_NOT_ASK, message=found.reason)
    rejections: list[Rejection] = []
    accepted: dict[str, Acceptance] = {}
    for attestation in found:
        for signature in attestation.signatures:
            key = _verified(attestation, signature, authority, now, rejections)
            if key is None or key.id in accepted:
                continue
            problem = authority.check(attestation, image)
            if problem is not None:
                rejections.append(_rejection(attestation, key.id, *problem))
                continue
            accepted[key.id] = Acceptance(where=attestation.where, key_id=key.id)
        if _suffices(authority, accepted):
            return _answer(authority, Outcome.ALLOW, "", accepted, rejections)
    message = NONE_VALID
    if accepted:
        missing = [key for key in authority.required if key not in accepted]
        message = f"{len(accepted)} of the {authority.threshold} keys that are asked for signed it"
        message += f"; {', '.join(missing)} did not" if missing else ""
    return _answer(authority, Outcome.DENY, message, accepted, rejections)


def _suffices(authority: Authority, accepted: Mapping[str, Acceptance]) -> bool:
    return len(accepted) >= authority.threshold and all(key in accepted for key in authority.required)


def _answer(
    authority: Authority,
    outcome: Outcome,
    message: str,
    accepted: Mapping[str, Acceptance],
    rejections: Sequence[Rejection],
) -> AttestorAnswer:
    return AttestorAnswer(
        attestor=authority.name,
        outcome=outcome,
        message=message,
        accepted=tuple(accepted.values()),
        rejections=tuple(rejections),
    )


def _verified(
    attestation: Attestation,
    signature: Signature,
    authority: Authority,
    now: datetime,
    rejections: list[Rejection],
) -> PublicKey | PgpKey | None:
    """Steps 1 to 3: the key that a signature is by."""
    named = signature.key_id
    if attestation.form is Form.PGP:
        certificates = [key for key in authority.pgp_keys if is_named(key, named)]
        by = pgp_verifies(certificates, attestation.payload, signature.value) if certificates else None
        if by is None:
            rejections.append(_unverified(attestation, named, known=bool(certificates)))
        return by
    keys = [key for key in authority.keys if not named or key.id == named]
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
    return _rejection(attestation, key_id, Why.UNKNOWN_KEY, f"{NO_KEY} {key_id}".rstrip())


def simple_signing(types: frozenset[str], identity: IdentityMatch) -> Check:
    """A check of simple-signing payloads of some types (in lower case)."""

    def check(attestation: Attestation, image: Reference) -> tuple[Why, str] | None:
        try:
            payload = read_payload(attestation.payload)
        except BadEvidenceError as error:
            return Why.UNREADABLE, f"Signature verified, but the payload cannot be read: {error}"
        return next(_differences(payload, image, types, identity), None)

    return check


def _differences(
    payload: SimpleSigning, image: Reference, types: frozenset[str], identity: IdentityMatch
) -> Iterator[tuple[Why, str]]:
    if payload.type.lower() not in types:
        yield Why.WRONG_TYPE, f"{UNEXPECTED} its type is {payload.type}"
    if payload.digest != image.digest:
        yield Why.WRONG_DIGEST, f"{UNEXPECTED} it is about {payload.digest}"
    if identity is IdentityMatch.REPOSITORY and _normal(payload.repository) != image.name:
        yield Why.WRONG_REPOSITORY, f"{UNEXPECTED} it is about {payload.repository}"


def _normal(repository: str) -> str:
    """A payload's repository in normal form; empty if it is none, or says more than a repository."""
    try:
        reference = parse_reference(repository)
    except DiagnosticError:
        return ""
    return "" if reference.tag or reference.digest else reference.name


def _rejection(attestation: Attestation, key_id: str, why: Why, message: str) -> Rejection:
    return Rejection(where=attestation.where, key_id=key_id, why=why, message=message)
