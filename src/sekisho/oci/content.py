"""What registries and layouts hold: descriptors, manifests, indexes, and the digests that name them.

Everything that comes from outside is read here, strictly: ``Content`` is bytes whose digest was computed from
them, and ``parse`` says what they are. The formats are those of the OCI image specification 1.1 and Docker's
schema 2, which differ in their media types only.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypedDict

import orjson

from sekisho.diag import Code, Diagnostic, DiagnosticError, Limit
from sekisho.diag.depth import deeper_than
from sekisho.oci import codes
from sekisho.oci.reference import is_digest

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
EMPTY: Final = "application/vnd.oci.empty.v1+json"
OCTETS: Final = "application/octet-stream"

MANIFESTS: Final = frozenset({MANIFEST, DOCKER_MANIFEST})
INDEXES: Final = frozenset({INDEX, DOCKER_INDEX})

MANIFEST_SIZE: Final = Limit(
    "a manifest", 4 * 1024 * 1024, "bytes", "the distribution specification asks registries for no more"
)
CHILDREN: Final = Limit(
    "entries of a manifest", 10_000, "entries", "each is looked at, and images have some tens"
)
DEPTH: Final = Limit(
    "JSON of an image", 100, "levels", "deeper values overflow the stack of those who read them"
)
SIZE_MAX: Final = 2**63 - 1

NONE: Final[Mapping[str, str]] = MappingProxyType({})

_HASHES: Final = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """The digest of bytes, as ``sha256:HEX``."""
    return f"{algorithm}:{_HASHES[algorithm](body).hexdigest()}"


class Check:
    """Computes a digest piece by piece and says at the end whether it is the one that was asked for."""

    def __init__(self, digest: str, size: int | None = None) -> None:
        assert is_digest(digest), "a digest that was checked when it was read"
        self._digest = digest
        self._size = size
        self._seen = 0
        self._state = _HASHES[digest.partition(":")[0]]()

    def add(self, piece: bytes) -> None:
        """More bytes. Raises DiagnosticError (OCI005) once there are more than there should be."""
        self._seen += len(piece)
        self._state.update(piece)
        if self._size is not None and self._seen > self._size:
            raise problem(codes.NOT_THE_CONTENT, f"{self._digest} has more than its {self._size} bytes")

    def done(self) -> None:
        """All is there. Raises DiagnosticError (OCI005) if it is not what was asked for."""
        if self._size is not None and self._seen != self._size:
            what = f"{self._digest} has {self._seen} bytes, where {self._size} were announced"
            raise problem(codes.NOT_THE_CONTENT, what)
        if not hmac.compare_digest(self._state.hexdigest(), self._digest.partition(":")[2]):
            came = f"{self._digest.partition(':')[0]}:{self._state.hexdigest()}"
            raise problem(codes.NOT_THE_CONTENT, f"{self._digest} was asked for, and {came} came")


def check(body: bytes, digest: str, size: int | None = None) -> None:
    """Raises DiagnosticError (OCI005) if these bytes have not this digest, or this size."""
    state = Check(digest, size)
    state.add(body)
    state.done()


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Where an image runs, in Go's words: ``linux/arm64/v8``."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def of(cls, text: str) -> Platform:
        """The platform of a text; raises ValueError for one that is none."""
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(f"{text!r} is not OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT")
        return cls(os=parts[0], architecture=parts[1], variant=parts[2] if len(parts) > 2 else "")

    def runs(self, other: Platform) -> bool:
        """Whether what is made for another platform runs here; without a variant here, whatever its own."""
        same = (self.os, self.architecture) == (other.os, other.architecture)
        return same and (
            not self.variant or self.variant == (other.variant or _VARIANTS.get(self.architecture))
        )

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


_VARIANTS: Final[Mapping[str, str]] = {"arm64": "v8", "arm": "v7"}
"""The variant that is meant where an image names none: containerd's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """What a manifest says of other content. ``artifact_type`` is empty where none is written."""

    media_type: str
    digest: str
    size: int
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=lambda: NONE)
    platform: Platform | None = None

    def raw(self) -> dict[str, Any]:
        """The JSON form."""
        value: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.artifact_type:
            value["artifactType"] = self.artifact_type
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        if self.platform is not None:
            value["platform"] = {"os": self.platform.os, "architecture": self.platform.architecture}
            if self.platform.variant:
                value["platform"]["variant"] = self.platform.variant
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A manifest or an index as it came. ``digest`` was computed from ``body``, nobody claimed it."""

    media_type: str
    digest: str
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, body: bytes, media_type: str, *, asked: str = "") -> Content:
        """The content of bytes; with a digest that was asked for it must be theirs (OCI005, OCI007)."""
        if MANIFEST_SIZE.exceeded_by(len(body)):
            raise problem(codes.TOO_LARGE, str(MANIFEST_SIZE))
        if asked:
            check(body, asked)
        return cls(media_type=media_type, digest=asked or digest_of(body), body=body)

    @property
    def descriptor(self) -> Descriptor:
        """What others say of it."""
        return Descriptor(media_type=self.media_type, digest=self.digest, size=len(self.body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One image, or an artifact."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    artifact_type: str = ""
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=lambda: NONE)

    @property
    def type(self) -> str:
        """What kind of artifact it is: its artifact type, or the type of its configuration."""
        return self.artifact_type or self.config.media_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Images for several platforms, or a list of artifacts."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    artifact_type: str = ""
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=lambda: NONE)

    def choose(self, platform: Platform) -> Descriptor:
        """The first image for a platform. Raises DiagnosticError (OCI011)."""
        for row in self.manifests:
            if row.platform is not None and platform.runs(row.platform):
                return row
        known = ", ".join(dict.fromkeys(str(row.platform) for row in self.manifests if row.platform))
        raise problem(
            codes.NO_PLATFORM, f"nothing is for {platform}; there is {known or 'nothing with a platform'}"
        )


class _Common(TypedDict):
    """What manifests and indexes both have."""

    artifact_type: str
    subject: Descriptor | None
    annotations: Mapping[str, str]


def parse(content: Content) -> Manifest | Index:
    """What a content says. Raises DiagnosticError (OCI006).

    The media type that it came with and the one that it names must be one, and it must be either a manifest
    or an index: else two readers could take the same bytes for different things.
    """
    value = _object(content.body)
    written = _text(value, "mediaType")
    kind = _kind(value, written or content.media_type, content.media_type)
    common = _Common(
        artifact_type=_text(value, "artifactType"),
        subject=_descriptor(value["subject"], "subject") if value.get("subject") is not None else None,
        annotations=_annotations(value, "it"),
    )
    if kind in INDEXES:
        rows = _descriptors(value, "manifests")
        return Index(media_type=kind, manifests=rows, **common)
    config = _descriptor(value.get("config"), "config")
    return Manifest(media_type=kind, config=config, layers=_descriptors(value, "layers"), **common)


def _kind(value: Mapping[str, Any], kind: str, came: str) -> str:
    if kind not in MANIFESTS | INDEXES:
        raise bad(f"{kind or 'content without a media type'} is no manifest and no index")
    if came in MANIFESTS | INDEXES and came != kind:
        raise bad(f"it came as {came} and calls itself {kind}")
    if value.get("schemaVersion") != 2:
        raise bad("schemaVersion must be 2")
    wrong = {"manifests"} if kind in MANIFESTS else {"config", "layers"}
    for name in sorted(wrong & value.keys()):
        raise bad(f"{kind} has no {name}")
    return kind


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad(f"it is not JSON: {error.msg} at byte {error.pos}") from None
    if not isinstance(value, dict):
        raise bad("it is no object")
    if deeper_than(value, DEPTH.value):
        raise bad(str(DEPTH))
    return value


def read_object(body: bytes, what: str) -> dict[str, Any]:
    """The JSON object of other content (a configuration, a list). Raises DiagnosticError (OCI006)."""
    try:
        return _object(body)
    except DiagnosticError as error:
        raise bad(f"{what}: {error.diagnostics[0].message}") from None


def _descriptors(value: Mapping[str, Any], name: str) -> tuple[Descriptor, ...]:
    rows = value.get(name)
    if not isinstance(rows, list):
        raise bad(f"{name} must be a list")
    if CHILDREN.exceeded_by(len(rows)):
        raise problem(codes.TOO_LARGE, str(CHILDREN))
    return tuple(_descriptor(row, f"{name}[{at}]") for at, row in enumerate(rows))


def _descriptor(row: Any, where: str) -> Descriptor:
    if not isinstance(row, dict):
        raise bad(f"{where} must be a descriptor")
    digest, size = row.get("digest"), row.get("size")
    if not isinstance(digest, str) or not is_digest(digest):
        raise bad(f"{where}.digest must be sha256 with 64 or sha512 with 128 lower-case hex digits")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= SIZE_MAX:
        raise bad(f"{where}.size must be a number of bytes")
    return Descriptor(
        media_type=_text(row, "mediaType", where),
        digest=digest,
        size=size,
        artifact_type=_text(row, "artifactType", where),
        annotations=_annotations(row, where),
        platform=_platform(row.get("platform"), where),
    )


def _platform(row: Any, where: str) -> Platform | None:
    if row is None:
        return None
    if not isinstance(row, dict):
        raise bad(f"{where}.platform must be an object")
    return Platform(
        os=_text(row, "os", where),
        architecture=_text(row, "architecture", where),
        variant=_text(row, "variant", where),
    )


def _annotations(row: Mapping[str, Any], where: str) -> Mapping[str, str]:
    found = row.get("annotations")
    if found is None:
        return NONE
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise bad(f"the annotations of {where} must be texts")
    return MappingProxyType(found)


def _text(row: Mapping[str, Any], name: str, where: str = "") -> str:
    found = row.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise bad(f"{where + '.' if where else ''}{name} must be a text")
    return found


def images_of(index: Index) -> Iterator[Descriptor]:
    """The entries of an index that are images, without attestations that builders put among them."""
    for row in index.manifests:
        unknown = row.platform is not None and row.platform.os == "unknown"
        if row.media_type in MANIFESTS | INDEXES and not unknown:
            yield row


def problem(code: Code, message: str, help: str = "") -> DiagnosticError:
    """An expected failure of this package."""
    return DiagnosticError(Diagnostic(code=code, message=message, help=help))


def bad(why: str) -> DiagnosticError:
    """A manifest that cannot be read."""
    return problem(codes.BAD_CONTENT, f"the manifest cannot be read: {why}")
