"""What platform policies consist of: check sets, and the seven kinds of checks.

Exactly one check set is asked about a Pod: the first whose scope matches. All its checks are run and all must
pass; within a check one of its authenticators, keys, projects or rules suffices.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sekisho.images.google.platformpatterns import AllowPattern, DirectoryPattern
from sekisho.images.signing.keys import PublicKey


class Severity(Enum):
    """``maximumFixableSeverity``: the gravest vulnerability that is let through."""

    BLOCK_ALL = 0
    MINIMAL = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5
    ALLOW_ALL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class AlwaysDeny:
    """``alwaysDeny: true``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleSigning:
    """``simpleSigningAttestationCheck``: an attestation in one of the projects, by one of the keys."""

    projects: tuple[str, ...]
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SigstoreSignature:
    """``sigstoreSignatureCheck``: a cosign signature by one of the keys."""

    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlsaRule:
    """One rule of an ``slsaCheck``."""

    builder: str
    projects: tuple[str, ...] = ()
    config_based: bool = False
    sources: tuple[DirectoryPattern, ...] = ()
    constraints: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slsa:
    """``slsaCheck``: provenance that one of the rules accepts."""

    rules: tuple[SlsaRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """``imageFreshnessCheck``: uploaded at most so many days ago."""

    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vulnerabilities:
    """``vulnerabilityCheck``: no graver ones than these; allowed CVEs beat blocked ones."""

    fixable: Severity
    unfixable: Severity
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedDirectory:
    """``trustedDirectoryCheck``: the repository is within one of these."""

    patterns: tuple[DirectoryPattern, ...]


What = AlwaysDeny | SimpleSigning | SigstoreSignature | Slsa | Freshness | Vulnerabilities | TrustedDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a set. ``kind`` is the field that says what is checked."""

    name: str
    kind: str
    what: What
    allowlist: tuple[AllowPattern, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSet:
    """A set of checks and whom it is about: a namespace, a service account (``ns:name``), else everybody."""

    name: str
    checks: tuple[Check, ...] = ()
    namespace: str = ""
    service_account: str = ""
    allowlist: tuple[AllowPattern, ...] = ()

    def concerns(self, namespace: str, account: str) -> bool:
        """Whether a Pod is in its scope."""
        if self.service_account:
            return self.service_account == f"{namespace}:{account or 'default'}"
        return not self.namespace or self.namespace == namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformPolicy:
    """A platform policy. Without check sets it allows."""

    name: str = ""
    check_sets: tuple[CheckSet, ...] = ()
    allowlist: tuple[AllowPattern, ...] = ()
