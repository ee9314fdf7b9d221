"""Kritis' custom resources as values, every problem at its field."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, Path
from sekisho.images import codes
from sekisho.images.google.patterns import BadPatternError, NamePattern, name_pattern
from sekisho.images.signing.keys import BadKeyError, PublicKey, public_key
from sekisho.images.signing.pgp import PgpKey, pgp_key
from sekisho.kube.decode import Anything, Field, ListOf, Reading, Resource, Struct, Text, resource
from sekisho.kube.object import Object

API_VERSION: Final = "kritis.grafeas.io/v1beta1"
GROUP: Final = "kritis.grafeas.io"

SEVERITIES: Final = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
BLOCK_ALL: Final = "BLOCK_ALL"
ALLOW_ALL: Final = "ALLOW_ALL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """AttestationAuthority: a note, and the keys of whoever attaches attestations to it."""

    name: str
    namespace: str
    note: str
    keys: tuple[PublicKey, ...] = ()
    pgp_keys: tuple[PgpKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationPolicy:
    """GenericAttestationPolicy: images that match a pattern are exempt, others need all authorities."""

    name: str
    namespace: str
    authorities: tuple[str, ...] = ()
    allowlist: tuple[NamePattern, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Which vulnerabilities are let through; the defaults are those of Kritis' code, not of its documents."""

    fixable: str = "CRITICAL"
    unfixable: str = ALLOW_ALL
    cves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityPolicy:
    """ImageSecurityPolicy: images are written with a digest, and have no graver vulnerabilities."""

    name: str
    namespace: str
    allowlist: tuple[str, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    authority: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPolicy:
    """VulnzSigningPolicy: what the signer attests."""

    name: str
    namespace: str
    bounds: Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A resource that is read and decides nothing: BuildPolicy (its pattern is dead code), KritisConfig."""

    name: str
    spec: Mapping[str, Any]
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class _Severity:
    """One of the API's severities, or a word for none or all."""

    def read(self, value: Any, path: Path, reading: Reading) -> str:
        text = Text(empty=True).read(value, path, reading)
        if text and text not in (BLOCK_ALL, ALLOW_ALL, *SEVERITIES):
            known = ", ".join((BLOCK_ALL, *SEVERITIES, ALLOW_ALL))
            raise reading.refuse(codes.BAD_POLICY, path, f"{text} is not a severity: {known}")
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class _Pattern:
    def read(self, value: Any, path: Path, reading: Reading) -> NamePattern:
        text = Text().read(value, path, reading)
        try:
            return name_pattern(text)
        except BadPatternError as error:
            raise reading.refuse(codes.BAD_PATTERN, path, f"{text}: {error}") from None

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    pattern: NamePattern


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    type: str
    id: str
    pgp: str
    pkix: _Pkix | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pkix:
    pem: str
    algorithm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Authority:
    name: str
    namespace: str
    note: str
    keys: tuple[_Key, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Policy:
    name: str
    namespace: str
    authorities: tuple[str, ...]
    allowlist: tuple[_Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    fixable: str = ""
    unfixable: str = ""
    cves: tuple[str, ...] = ()

    def bounds(self) -> Bounds:
        return Bounds(
            fixable=self.fixable or Bounds().fixable,
            unfixable=self.unfixable or Bounds().unfixable,
            cves=self.cves,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Security:
    name: str
    namespace: str
    allowlist: tuple[str, ...]
    bounds: _Bounds
    authority: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signing:
    name: str
    namespace: str
    bounds: _Bounds


_TEXTS: Final = ListOf(Text())
_KEY: Final = Struct(
    _Key,
    Field("type", "keyType", Text(empty=True), ""),
    Field("id", "keyId", Text(empty=True), ""),
    Field("pgp", "asciiArmoredPgpPublicKey", Text(empty=True), ""),
    Field(
        "pkix",
        "pkixPublicKey",
        Struct(
            _Pkix,
            Field("pem", "publicKey", Text()),
            Field("algorithm", "signatureAlgorithm", Text(empty=True), ""),
        ),
        None,
    ),
)
AUTHORITY: Final[Resource[_Authority]] = resource(
    API_VERSION,
    "AttestationAuthority",
    _Authority,
    Field("note", "spec.noteReference", Text()),
    Field("keys", "spec.publicKeys", ListOf(_KEY), ()),
    namespaced=True,
)
ATTESTATION_POLICY: Final[Resource[_Policy]] = resource(
    API_VERSION,
    "GenericAttestationPolicy",
    _Policy,
    Field("authorities", "spec.attestationAuthorityNames", _TEXTS, ()),
    Field(
        "allowlist",
        "spec.admissionAllowlistPatterns",
        ListOf(Struct(_Entry, Field("pattern", "namePattern", _Pattern()))),
        (),
    ),
    namespaced=True,
)
_REQUIREMENTS: Final = Struct(
    _Bounds,
    Field("fixable", "maximumSeverity", _Severity(), ""),
    Field("unfixable", "maximumFixUnavailableSeverity", _Severity(), ""),
    Field("cves", "allowlistCVEs", _TEXTS, ()),
)
SECURITY_POLICY: Final[Resource[_Security]] = resource(
    API_VERSION,
    "ImageSecurityPolicy",
    _Security,
    Field("allowlist", "spec.imageAllowlist", _TEXTS, ()),
    Field("bounds", "spec.packageVulnerabilityRequirements", _REQUIREMENTS, _Bounds()),
    Field("authority", "spec.attestationAuthorityName", Text(empty=True), ""),
    Field("secret", "spec.privateKeySecretName", Text(empty=True), ""),
    namespaced=True,
)
SIGNING_POLICY: Final[Resource[_Signing]] = resource(
    API_VERSION,
    "VulnzSigningPolicy",
    _Signing,
    Field(
        "bounds",
        "spec.imageVulnerabilityRequirements",
        Struct(
            _Bounds,
            Field("fixable", "maximumFixableSeverity", _Severity(), ""),
            Field("unfixable", "maximumUnfixableSeverity", _Severity(), ""),
            Field("cves", "allowlistCVEs", _TEXTS, ()),
        ),
        _Bounds(),
    ),
    namespaced=True,
)
BUILD_POLICY: Final[Resource[Reported]] = resource(
    API_VERSION, "BuildPolicy", Reported, Field("spec", "spec", Anything(), {}), namespaced=True
)
CONFIG: Final[Resource[Reported]] = resource(
    API_VERSION, "KritisConfig", Reported, Field("spec", "spec", Anything(), {})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kritis:
    """All that was read. ``broken`` are namespaces with a policy that cannot be used, and why."""

    authorities: Mapping[tuple[str, str], Authority] = field(default_factory=dict)
    attestation: tuple[AttestationPolicy, ...] = ()
    security: tuple[SecurityPolicy, ...] = ()
    signing: tuple[SigningPolicy, ...] = ()
    reported: tuple[Reported, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is a policy that decides."""
        return bool(self.attestation or self.security or self.broken)


def is_kritis(object: Object) -> bool:
    """Whether an object is one of these."""
    return object.gvk.group == GROUP


def read_kritis(objects: Iterable[Object]) -> Kritis:
    """Read what is Kritis' among objects. A policy that is malformed denies in its namespace."""
    authorities: dict[tuple[str, str], Authority] = {}
    attestation: list[AttestationPolicy] = []
    security: list[SecurityPolicy] = []
    signing: list[SigningPolicy] = []
    reported: list[Reported] = []
    broken: dict[str, str] = {}
    problems: list[Diagnostic] = []
    for object in filter(is_kritis, objects):
        try:
            if AUTHORITY.is_(object):
                authority = _authority(object)
                authorities[authority.namespace, authority.name] = authority
            elif ATTESTATION_POLICY.is_(object):
                attestation.append(_attestation(object))
            elif SECURITY_POLICY.is_(object):
                security.append(_security(object))
            elif SIGNING_POLICY.is_(object):
                row = SIGNING_POLICY.decode(object)
                bounds = row.bounds.bounds()
                signing.append(SigningPolicy(name=row.name, namespace=row.namespace, bounds=bounds))
            else:
                reported += [kind.decode(object) for kind in (BUILD_POLICY, CONFIG) if kind.is_(object)]
        except DiagnosticError as error:
            problems += error.diagnostics
            if ATTESTATION_POLICY.is_(object) or SECURITY_POLICY.is_(object):
                broken[object.namespace or "default"] = f"{object.kind} {object.name} is malformed"
    return Kritis(
        authorities=authorities,
        attestation=tuple(attestation),
        security=tuple(security),
        signing=tuple(signing),
        reported=tuple(reported),
        broken=broken,
        problems=tuple(problems),
    )


def _attestation(object: Object) -> AttestationPolicy:
    row = ATTESTATION_POLICY.decode(object)
    return AttestationPolicy(
        name=row.name,
        namespace=row.namespace or "default",
        authorities=row.authorities,
        allowlist=tuple(entry.pattern for entry in row.allowlist),
    )


def _security(object: Object) -> SecurityPolicy:
    row = SECURITY_POLICY.decode(object)
    return SecurityPolicy(
        name=row.name,
        namespace=row.namespace or "default",
        allowlist=row.allowlist,
        bounds=row.bounds.bounds(),
        authority=row.authority,
        secret=row.secret,
    )


def _authority(object: Object) -> Authority:
    row = AUTHORITY.decode(object)
    keys: list[PublicKey] = []
    pgp_keys: list[PgpKey] = []
    problems: list[Diagnostic] = []
    for index, key in enumerate(row.keys):
        try:
            if key.pkix is not None:
                keys.append(public_key(key.pkix.pem, algorithm=key.pkix.algorithm, id=key.id))
            else:
                pgp_keys.append(pgp_key(_armored(key.pgp)))
        except BadKeyError as error:
            message = f"a key of {row.name} cannot be used: {error}"
            at = object.at("spec", "publicKeys", index)
            problems.append(Diagnostic(code=codes.BAD_KEY, message=message, at=at))
    if problems:
        raise DiagnosticError(problems)
    return Authority(
        name=row.name,
        namespace=row.namespace or "default",
        note=row.note,
        keys=tuple(keys),
        pgp_keys=tuple(pgp_keys),
    )


def _armored(text: str) -> str:
    """An armored key, which Kritis keeps in base64."""
    if text.lstrip().startswith("-----BEGIN PGP"):
        return text
    try:
        return base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise BadKeyError("it is not an armored OpenPGP key in base64") from None
