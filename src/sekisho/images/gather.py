"""Gathering what lies beside an image in its registry: the edge of this package.

For one digest, in this order and no further than it takes:

1. cosign's tag ``sha256-….sig``, and ``.att`` for attestations: a manifest, and a blob for each layer;
2. referrers of type Sigstore bundle: the bundle's blob (where a registry has no referrers API, ``oci`` asks
   for the tag ``sha256-…``).

What cannot be read counts for nothing and is told; what could not be asked makes the whole answer unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sekisho.diag import Deadline, DiagnosticError, Limit
from sekisho.images.evidence.bundle import MEDIA_TYPES, MessageSignature, read_bundle
from sekisho.images.evidence.cosign import Layer, read_layer, read_layers, signature_tag
from sekisho.images.evidence.model import Attestation, Form, Found, Signature, Unanswered
from sekisho.images.evidence.strictjson import DOCUMENT, BadEvidenceError
from sekisho.oci.content import Descriptor, Manifest, parse
from sekisho.oci.source import Source

BUNDLES: Final = Limit("bundles of an image", 64, "bundles", "each is fetched, and costs two requests")
EMPTY: Final = "application/vnd.oci.empty.v1+json"
"""The artifact type that some registries' fallback lists give everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was found, and what is wrong with the rest."""

    found: Found
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which kinds of evidence are asked for."""

    signatures: bool = True
    attestations: bool = False
    bundles: bool = True


async def gather(source: Source, digest: str, wanted: Wanted, *, deadline: Deadline) -> Gathered:
    """What lies beside a digest."""
    problems: list[str] = []
    found: list[Attestation] = []
    try:
        for suffix in _suffixes(wanted):
            found += await _tagged(source, signature_tag(digest, suffix), problems, deadline)
        if wanted.bundles:
            found += await _referring(source, digest, problems, deadline)
    except DiagnosticError as error:
        return Gathered(found=Unanswered(reason=error.diagnostics[0].message), problems=tuple(problems))
    return Gathered(found=tuple(found), problems=tuple(problems))


def _suffixes(wanted: Wanted) -> list[str]:
    rows = (("sig", wanted.signatures), ("att", wanted.attestations))
    return [suffix for suffix, asked in rows if asked]


async def _tagged(source: Source, tag: str, problems: list[str], deadline: Deadline) -> list[Attestation]:
    """The layers of a manifest of cosign's."""
    manifest = await source.manifest(tag, deadline=deadline)
    if manifest is None:
        return []
    try:
        layers = read_layers(manifest.body)
    except BadEvidenceError as error:
        problems.append(f"{tag}: {error}")
        return []
    found: list[Attestation] = []
    for index, layer in enumerate(layers):
        where = f"{tag} layer {index + 1}"
        try:
            found.append(read_layer(layer, await _blob(source, layer, deadline), where))
        except BadEvidenceError as error:
            problems.append(f"{where}: {error}")
    return found


async def _blob(source: Source, layer: Layer, deadline: Deadline) -> bytes:
    which = Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size)
    blob = await source.blob(which, deadline=deadline, limit=DOCUMENT)
    if blob is None:
        raise BadEvidenceError("its blob is missing")
    return blob


async def _referring(
    source: Source, digest: str, problems: list[str], deadline: Deadline
) -> list[Attestation]:
    """The bundles that refer to a digest."""
    found: list[Attestation] = []
    rows = await source.referrers(digest, deadline=deadline)
    rows = tuple(row for row in rows if row.artifact_type in MEDIA_TYPES or row.artifact_type in ("", EMPTY))
    if BUNDLES.exceeded_by(len(rows)):
        problems.append(f"{BUNDLES}; the first {BUNDLES.value} are read")
    for row in rows[: BUNDLES.value]:
        try:
            found += await _bundle(source, row, digest, deadline)
        except BadEvidenceError as error:
            problems.append(f"{row.digest}: {error}")
    return found


async def _bundle(source: Source, row: Descriptor, digest: str, deadline: Deadline) -> list[Attestation]:
    content = await source.manifest(row.digest, deadline=deadline)
    manifest = parse(content) if content is not None else None
    if not isinstance(manifest, Manifest) or manifest.type not in MEDIA_TYPES:
        return []  # it refers to the image, and is not a bundle
    if manifest.subject is None or manifest.subject.digest != digest:
        raise BadEvidenceError("it refers to another image")
    if len(manifest.layers) != 1:
        raise BadEvidenceError("an artifact of a bundle has one layer")
    body = await source.blob(manifest.layers[0], deadline=deadline, limit=DOCUMENT)
    if body is None:
        raise BadEvidenceError("its blob is missing")
    bundle = read_bundle(body, row.digest)
    if not bundle.key:
        raise BadEvidenceError("it is by a certificate, and keys are asked for")
    if isinstance(bundle.content, MessageSignature):
        signature = Signature(value=bundle.content.signature)
        # Such a signature is over the image's manifest itself.
        image = await source.manifest(digest, deadline=deadline)
        if image is None:
            raise BadEvidenceError("the image that it is over is missing")
        return [
            Attestation(where=row.digest, payload=image.body, signatures=(signature,), form=Form.MANIFEST)
        ]
    return [bundle.content]
