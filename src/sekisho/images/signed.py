"""Whether an image is signed: cosign's signatures, bundles and in-toto statements about a digest, by keys.

``check_signed`` is the check of one piece of evidence, by its form: a simple-signing payload of cosign's
type, an in-toto statement whose subject is the image, or the image's own manifest. ``check_attested`` wants a
statement with a predicate of one of some types.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sekisho.images.attest import UNEXPECTED, Check, IdentityMatch, Why, simple_signing
from sekisho.images.evidence.intoto import PAYLOAD_TYPE, read_statement
from sekisho.images.evidence.model import Attestation, Form
from sekisho.images.evidence.simplesigning import COSIGN_TYPE
from sekisho.images.evidence.strictjson import BadEvidenceError

if TYPE_CHECKING:
    from sekisho.oci import Reference

_COSIGN = simple_signing(frozenset((COSIGN_TYPE,)), IdentityMatch.DIGEST_ONLY)


def check_signed(attestation: Attestation, image: Reference) -> tuple[Why, str] | None:
    """What is wrong with evidence that an image is signed, whose signature is good."""
    if attestation.form is Form.PLAIN:
        return _COSIGN(attestation, image)
    if attestation.form is Form.MANIFEST:
        digest = f"sha256:{hashlib.sha256(attestation.payload).hexdigest()}"
        wrong = (Why.WRONG_DIGEST, f"{UNEXPECTED} it is about {digest}")
        return None if digest == image.digest else wrong
    return check_attested(frozenset())(attestation, image)


def check_attested(predicates: frozenset[str]) -> Check:
    """A check of in-toto statements; with ``predicates`` their type must be one of these."""

    def check(attestation: Attestation, image: Reference) -> tuple[Why, str] | None:
        if attestation.payload_type != PAYLOAD_TYPE:
            return Why.WRONG_TYPE, f"{UNEXPECTED} it is {attestation.payload_type or 'no statement'}"
        try:
            statement = read_statement(attestation.payload)
        except BadEvidenceError as error:
            return Why.UNREADABLE, f"Signature verified, but the statement cannot be read: {error}"
        if predicates and statement.predicate_type not in predicates:
            return Why.WRONG_TYPE, f"{UNEXPECTED} its predicate is {statement.predicate_type}"
        if image.digest not in statement.digests:
            return Why.WRONG_DIGEST, f"{UNEXPECTED} it is not about this image"
        return None

    return check
