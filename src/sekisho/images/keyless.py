"""Verifying a bundle by its certificate: Fulcio's chain, signed timestamps, the transparency log, identity.

The sigstore project's own library does it (the extra ``sigstore``), with a trusted root that is given, or
with the one that the library has. No network is used. What it has verified, in its order: the time of
signing by log or timestamp authority, the certificate's chain and SCT, subject and issuer, the log's entry
and that it agrees with the bundle, the signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.images import codes
from sekisho.images.evidence.intoto import PAYLOAD_TYPE, read_statement
from sekisho.images.evidence.strictjson import BadEvidenceError

if TYPE_CHECKING:
    from sekisho.images.verifybundle import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who must have signed: the certificate's subject, and who vouched for it."""

    subject: str
    issuer: str


def verify_keyless(bundle: bytes, artifact: Artifact, identity: Identity, root: Path | None) -> str:
    """Why a bundle does not verify; empty if it does. ``root`` is a trusted root as sigstore publishes it.

    Raises DiagnosticError (IMG007) where the extra is not installed.
    """
    if find_spec("sigstore") is None:
        message = "a bundle with a certificate is verified by the extra sigstore"
        help = "pip install sekisho[sigstore]"
        raise DiagnosticError([Diagnostic(code=codes.NO_EXTRA, message=message, help=help)])
    from pydantic import ValidationError
    from sigstore.errors import Error
    from sigstore.models import Bundle
    from sigstore.verify import policy

    try:
        verifier = _verifier(root)
        read = Bundle.from_json(bundle)
        wanted = policy.Identity(identity=identity.subject, issuer=identity.issuer)
        # The library has no public way to ask which of the two a bundle has.
        if read._inner.dsse_envelope is None:
            verifier.verify_artifact(_input(artifact), read, wanted)
            return ""
        kind, payload = verifier.verify_dsse(read, wanted)
    except (Error, ValidationError, ValueError, OSError) as error:
        said = str(error).splitlines() or [type(error).__name__]
        return f"the bundle does not verify: {said[0]}"
    if kind != PAYLOAD_TYPE:
        return f"the envelope holds {kind}, not an in-toto statement"
    try:
        statement = read_statement(payload)
    except BadEvidenceError as problem:
        return f"the statement cannot be read: {problem}"
    return "" if artifact.digest in statement.digests else "the statement is not about this artifact"


def _verifier(root: Path | None) -> Any:
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier

    if root is None:
        return Verifier.production(offline=True)
    return Verifier(trusted_root=TrustedRoot.from_file(str(root)))


def _input(artifact: Artifact) -> Any:
    """The artifact's bytes, or its digest where only that is known."""
    if artifact.content is not None:
        return artifact.content
    from sigstore.hashes import HashAlgorithm, Hashed

    digest = bytes.fromhex(artifact.digest.removeprefix("sha256:"))
    return Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest)
