"""Platform policies (``projects/*/platforms/gke/policies/*``), read from documents into ``platformmodel``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import DiagnosticError, Path
from sekisho.images import codes
from sekisho.images.google.patterns import BadPatternError
from sekisho.images.google.platformmodel import (
    AlwaysDeny,
    Check,
    CheckSet,
    Freshness,
    PlatformPolicy,
    Severity,
    SigstoreSignature,
    SimpleSigning,
    Slsa,
    SlsaRule,
    TrustedDirectory,
    Vulnerabilities,
    What,
)
from sekisho.images.google.platformpatterns import AllowPattern, allow_pattern, directory_pattern
from sekisho.images.signing.keys import BadKeyError, PublicKey, public_key
from sekisho.kube.decode import (
    Anything,
    Boolean,
    Choice,
    Field,
    Integer,
    ListOf,
    Reading,
    Refused,
    Struct,
    Text,
)
from sekisho.kube.object import Object


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern of one of the languages."""

    read_pattern: Any
    options: tuple[tuple[str, bool], ...] = ()

    def read(self, value: Any, path: Path, reading: Reading) -> Any:
        text = Text().read(value, path, reading)
        try:
            return self.read_pattern(text, **dict(self.options))
        except BadPatternError as error:
            raise reading.refuse(codes.BAD_PATTERN, path, f"{text}: {error}") from None

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class _Pem:
    """A key in PEM without a declared algorithm."""

    def read(self, value: Any, path: Path, reading: Reading) -> PublicKey:
        text = Text().read(value, path, reading)
        try:
            return public_key(text)
        except BadKeyError as error:
            raise reading.refuse(codes.BAD_KEY, path, f"a key cannot be used: {error}") from None

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class _Pkix:
    """A PKIX key with its algorithm."""

    def read(self, value: Any, path: Path, reading: Reading) -> PublicKey:
        written = _PKIX.read(value, path, reading)
        try:
            return public_key(written.pem, algorithm=written.algorithm, id=written.key_id)
        except BadKeyError as error:
            raise reading.refuse(codes.BAD_KEY, path, f"a key cannot be used: {error}") from None

    def schema(self) -> dict[str, Any]:
        return {"type": "object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _PkixRow:
    pem: str
    algorithm: str
    key_id: str


_PKIX: Final = Struct(
    _PkixRow,
    Field("pem", "publicKeyPem", Text()),
    Field("algorithm", "signatureAlgorithm", Text()),
    Field("key_id", "keyId", Text(empty=True), ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    keys: tuple[PublicKey, ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pem1:
    key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class _PemKeys:
    rows: tuple[_Pem1, ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Authenticated:
    projects: tuple[str, ...]
    authenticators: tuple[_Keys, ...]

    def check(self) -> SimpleSigning:
        keys = tuple(key for row in self.authenticators for key in row.keys)
        return SimpleSigning(projects=self.projects, keys=keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Authorities:
    authorities: tuple[_PemKeys, ...]

    def check(self) -> SigstoreSignature:
        return SigstoreSignature(keys=tuple(key.key for row in self.authorities for key in row.rows))


def _at_most_ten(projects: tuple[str, ...], field: str) -> Iterable[tuple[Path, str]]:
    if len(projects) > PROJECTS:
        yield (field,), f"{field}: Too many: {len(projects)}: must have at most {PROJECTS} items"


PROJECTS: Final = 10
"""Projects that a check may name: Google's bound."""

_PROJECTS: Final = "containerAnalysisAttestationProjects"
_TEXTS: Final = ListOf(Text())
_NAME: Final = Field("name", "displayName", Text(empty=True), "")

_SIMPLE: Final = Struct(
    _Authenticated,
    Field("projects", _PROJECTS, _TEXTS),
    Field(
        "authenticators",
        "attestationAuthenticators",
        ListOf(Struct(_Keys, Field("keys", "pkixPublicKeySet.pkixPublicKeys", ListOf(_Pkix(), 1)), _NAME), 1),
    ),
    check=lambda row: _at_most_ten(row.projects, _PROJECTS),
)
_SIGSTORE: Final = Struct(
    _Authorities,
    Field(
        "authorities",
        "sigstoreAuthorities",
        ListOf(
            Struct(
                _PemKeys,
                Field(
                    "rows",
                    "publicKeySet.publicKeys",
                    ListOf(Struct(_Pem1, Field("key", "publicKeyPem", _Pem())), 1),
                ),
                _NAME,
            ),
            1,
        ),
    ),
)
GOOGLE_CLOUD_BUILD: Final = "GOOGLE_CLOUD_BUILD"
_SLSA: Final = Struct(
    Slsa,
    Field(
        "rules",
        "rules",
        ListOf(
            Struct(
                SlsaRule,
                Field("builder", "trustedBuilder", Choice({GOOGLE_CLOUD_BUILD: GOOGLE_CLOUD_BUILD})),
                Field("projects", f"attestationSource.{_PROJECTS}", _TEXTS, ()),
                Field("config_based", "configBasedBuildRequired", Boolean(), False),
                Field(
                    "sources",
                    "trustedSourceRepoPatterns",
                    ListOf(_Pattern(directory_pattern, (("subdomains", False),))),
                    (),
                ),
                Field("constraints", "customConstraints", Text(empty=True), ""),
                check=lambda row: _at_most_ten(row.projects, _PROJECTS),
            ),
            1,
        ),
    ),
)
_FRESH: Final = Struct(Freshness, Field("days", "maxUploadAgeDays", Integer(minimum=1, maximum=36_500)))
_SEVERITY: Final = Choice({row.name: row for row in Severity})
_VULNERABLE: Final = Struct(
    Vulnerabilities,
    Field("fixable", "maximumFixableSeverity", _SEVERITY),
    Field("unfixable", "maximumUnfixableSeverity", _SEVERITY),
    Field("allowed", "allowedCves", _TEXTS, ()),
    Field("blocked", "blockedCves", _TEXTS, ()),
    Field("projects", "containerAnalysisVulnerabilityProjects", _TEXTS, ()),
    check=lambda row: _at_most_ten(row.projects, "containerAnalysisVulnerabilityProjects"),
)
_DIRECTORY: Final = Struct(
    TrustedDirectory,
    Field("patterns", "trustedDirPatterns", ListOf(_Pattern(directory_pattern, (("subdomains", True),)), 1)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Allow:
    patterns: tuple[AllowPattern, ...]


_ALLOW: Final = Struct(_Allow, Field("patterns", "allowPattern", ListOf(_Pattern(allow_pattern)), ()))
_NOBODY: Final = _Allow(patterns=())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    name: str
    allow: _Allow
    deny: bool | None
    simple: _Authenticated | None
    sigstore: _Authorities | None
    slsa: Slsa | None
    fresh: Freshness | None
    vulnerable: Vulnerabilities | None
    directory: TrustedDirectory | None

    def kinds(self) -> dict[str, What]:
        """What is checked, by the field that says so."""
        rows: dict[str, What | None] = {
            "alwaysDeny": AlwaysDeny() if self.deny else None,
            "simpleSigningAttestationCheck": self.simple.check() if self.simple else None,
            "sigstoreSignatureCheck": self.sigstore.check() if self.sigstore else None,
            "slsaCheck": self.slsa,
            "imageFreshnessCheck": self.fresh,
            "vulnerabilityCheck": self.vulnerable,
            "trustedDirectoryCheck": self.directory,
        }
        return {field: row for field, row in rows.items() if row is not None}


def _one_kind(check: _Check) -> Iterable[tuple[Path, str]]:
    if check.deny is False:
        yield ("alwaysDeny",), "alwaysDeny: Invalid value: false: leave it out"
    elif len(check.kinds()) != 1:
        yield (), f"a check has one of its kinds, and this one has {len(check.kinds())}"


_CHECK: Final = Struct(
    _Check,
    _NAME,
    Field("allow", "imageAllowlist", _ALLOW, _NOBODY),
    Field("deny", "alwaysDeny", Boolean(), None),
    Field("simple", "simpleSigningAttestationCheck", _SIMPLE, None),
    Field("sigstore", "sigstoreSignatureCheck", _SIGSTORE, None),
    Field("slsa", "slsaCheck", _SLSA, None),
    Field("fresh", "imageFreshnessCheck", _FRESH, None),
    Field("vulnerable", "vulnerabilityCheck", _VULNERABLE, None),
    Field("directory", "trustedDirectoryCheck", _DIRECTORY, None),
    check=_one_kind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    name: str
    checks: tuple[_Check, ...]
    namespace: str
    service_account: str
    allow: _Allow


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    name: str
    description: str
    etag: str
    updated: Any
    sets: tuple[_Set, ...]
    allow: _Allow


_SET: Final = Struct(
    _Set,
    _NAME,
    Field("checks", "checks", ListOf(_CHECK), ()),
    Field("namespace", "scope.kubernetesNamespace", Text(empty=True), ""),
    Field("service_account", "scope.kubernetesServiceAccount", Text(empty=True), ""),
    Field("allow", "imageAllowlist", _ALLOW, _NOBODY),
)
POLICY: Final = Struct(
    _Written,
    Field("name", "name", Text(empty=True), ""),
    Field("description", "description", Text(empty=True), ""),
    Field("etag", "etag", Text(empty=True), ""),
    Field("updated", "updateTime", Anything(), None),
    Field("sets", "gkePolicy.checkSets", ListOf(_SET), ()),
    Field("allow", "gkePolicy.imageAllowlist", _ALLOW, _NOBODY),
)


def is_platform_policy(object: Object) -> bool:
    """Whether a document is one of these, and not a project's policy."""
    return "gkePolicy" in object.raw


def read_platform_policy(object: Object) -> PlatformPolicy:
    """The policy that a document is; raises DiagnosticError (IMG001-IMG002, IMG005, KUB040-KUB043)."""
    reading = Reading(object)
    try:
        written = POLICY.read(object.raw, (), reading)
    except Refused:
        raise DiagnosticError(reading.problems) from None
    _check_scopes(written.sets, reading)
    if reading.problems:
        raise DiagnosticError(reading.problems)
    return PlatformPolicy(
        name=written.name,
        check_sets=tuple(_check_set(row) for row in written.sets),
        allowlist=written.allow.patterns,
    )


def _check_set(row: _Set) -> CheckSet:
    checks: list[Check] = []
    for check in row.checks:
        ((kind, what),) = check.kinds().items()
        checks.append(Check(name=check.name, kind=kind, what=what, allowlist=check.allow.patterns))
    return CheckSet(
        name=row.name,
        checks=tuple(checks),
        namespace=row.namespace,
        service_account=row.service_account,
        allowlist=row.allow.patterns,
    )


def _check_scopes(sets: tuple[_Set, ...], reading: Reading) -> None:
    """The most specific first, one set a scope, and one for everybody at the end if there are any."""

    def wrong(index: int, message: str) -> None:
        reading.report(codes.BAD_POLICY, ("gkePolicy", "checkSets", index), message)

    seen: set[tuple[str, str]] = set()
    namespaces: set[str] = set()
    for index, row in enumerate(sets):
        scope = (row.namespace, row.service_account)
        if row.namespace and row.service_account:
            wrong(index, "a scope is a namespace or a service account, not both")
        if scope in seen:
            wrong(index, "a check set of the same scope comes before, so this one is never asked")
        elif ("", "") in seen:
            wrong(index, "the check set for everybody comes before, so this one is never asked")
        elif row.service_account.partition(":")[0] in namespaces:
            wrong(index, "the check set of the whole namespace comes before, so this one is never asked")
        seen.add(scope)
        namespaces |= {row.namespace} - {""}
    if sets and ("", "") not in seen:
        wrong(len(sets) - 1, "the last check set must have no scope: it is for everybody else")
