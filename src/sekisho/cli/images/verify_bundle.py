"""``sekisho images verify-bundle``: sigstore bundles, by the protocol of its conformance suite."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from sekisho.images.verifybundle import Artifact

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@click.command(
    epilog="Example: sekisho images verify-bundle --bundle app.sigstore.json --key cosign.pub app.tar.gz"
)
@click.argument("artifact", metavar="FILE|sha256:DIGEST")
@click.option("--bundle", "bundle_file", required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--key", type=click.Path(exists=True, dir_okay=False), help="Public key (PEM) that signed it.")
@click.option("--certificate-identity", default="", metavar="IDENTITY", help="Subject of the certificate.")
@click.option("--certificate-oidc-issuer", default="", metavar="URL", help="Who vouched for the subject.")
@click.option(
    "--trusted-root",
    type=click.Path(exists=True, dir_okay=False),
    help="Authorities, logs and their keys, as sigstore publishes them.",
)
def command(
    *,
    artifact: str,
    bundle_file: str,
    key: str | None,
    certificate_identity: str,
    certificate_oidc_issuer: str,
    trusted_root: str | None,
) -> int:
    """Verify a sigstore bundle about a file or a digest, by a key or by a certificate's identity.

    Nothing is fetched. Certificates take the extra `sigstore`. Exit status 0 if it verifies, 1 if not.
    """
    from sekisho.images.keyless import Identity, verify_keyless

    if (key is None) == (not certificate_identity):
        raise click.UsageError("give --key, or --certificate-identity with --certificate-oidc-issuer")
    if certificate_identity and not certificate_oidc_issuer:
        raise click.UsageError("--certificate-identity needs --certificate-oidc-issuer")
    data, about = Path(bundle_file).read_bytes(), _artifact(artifact)
    if key is not None:
        problem = _with_key(data, about, key)
    else:
        identity = Identity(subject=certificate_identity, issuer=certificate_oidc_issuer)
        problem = verify_keyless(data, about, identity, Path(trusted_root) if trusted_root else None)
    if problem:
        click.echo(f"{bundle_file}: {problem}", err=True)
        return 1
    click.echo(f"{bundle_file}: verified for {about.digest}")
    return 0


def _with_key(data: bytes, about: Artifact, key: str) -> str:
    from sekisho.images.evidence.bundle import read_bundle
    from sekisho.images.evidence.strictjson import BadEvidenceError
    from sekisho.images.signing.keys import BadKeyError, public_key
    from sekisho.images.verifybundle import verify_with_key

    try:
        read = read_bundle(data)
        configured = public_key(Path(key).read_text(encoding="utf-8", errors="replace"))
    except BadKeyError as error:
        return f"the key cannot be used: {error}"
    except BadEvidenceError as error:
        return f"the bundle cannot be read: {error}"
    return verify_with_key(read, about, configured, now=datetime.now(UTC))


def _artifact(text: str) -> Artifact:
    """A digest only if it is one whole and no file has that name, as the protocol says."""
    from sekisho.images.verifybundle import Artifact

    if _DIGEST.fullmatch(text) and not Path(text).exists():
        return Artifact(digest=text)
    try:
        return Artifact.of(Path(text).read_bytes())
    except OSError as error:
        raise click.UsageError(f"{text}: {error.strerror or error}") from None
