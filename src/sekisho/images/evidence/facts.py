"""What is known about an image beside attestations: vulnerabilities, builds, when it was uploaded.

Read from Grafeas and Container Analysis occurrences (v1) of kind VULNERABILITY, DISCOVERY and BUILD. Nobody
signs these: whoever hands them in has asked a store that is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sekisho.images.evidence.model import Found, Unanswered
from sekisho.images.evidence.strictjson import BadEvidenceError

FINISHED: Final = frozenset(("FINISHED_SUCCESS", "COMPLETE"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vulnerability:
    """One vulnerability of an image. ``severity`` is the effective one, in the API's words."""

    cve: str
    severity: str
    fixable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a project's scanner found; ``finished`` is whether it is done with the image."""

    finished: bool = False
    vulnerabilities: tuple[Vulnerability, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Provenance (SLSA): who built, from which sources (without scheme), by a configuration or not."""

    builder: str
    sources: tuple[str, ...] = ()
    config_based: bool = False
    predicate: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything about one image that platform policies ask for, by project where it lies in projects."""

    attestations: Mapping[str, Found] = field(default_factory=dict)
    signatures: Found = ()
    builds: Mapping[str, tuple[Build, ...] | Unanswered] = field(default_factory=dict)
    scans: Mapping[str, Scan | Unanswered] = field(default_factory=dict)
    uploaded: datetime | Unanswered | None = None


def read_scan(rows: list[Mapping[str, Any]]) -> Scan:
    """A scan from a project's occurrences about one image."""
    found: list[Vulnerability] = []
    finished = False
    for row in rows:
        discovery, vulnerability = row.get("discovery"), row.get("vulnerability")
        if isinstance(discovery, dict):
            finished = finished or discovery.get("analysisStatus") in FINISHED
        if isinstance(vulnerability, dict):
            found.append(_vulnerability(row, vulnerability))
    return Scan(finished=finished or bool(found), vulnerabilities=tuple(found))


def _vulnerability(row: Mapping[str, Any], body: Mapping[str, Any]) -> Vulnerability:
    named = body.get("shortDescription") or str(row.get("noteName", "")).rpartition("/")[2]
    severity = body.get("effectiveSeverity") or body.get("severity")
    if not isinstance(named, str) or not isinstance(severity, str):
        raise BadEvidenceError("a vulnerability has no name or no severity")
    fixable = body.get("fixAvailable")
    if not isinstance(fixable, bool):
        issues = body.get("packageIssue")
        fixable = any(_fixed(issue) for issue in issues) if isinstance(issues, list) else False
    return Vulnerability(cve=named, severity=severity, fixable=fixable)


def _fixed(issue: Any) -> bool:
    """Whether a package issue names a version that mends it."""
    version = issue.get("fixedVersion") if isinstance(issue, dict) else None
    return isinstance(version, dict) and version.get("kind", "NORMAL") not in ("MAXIMUM", "")


def read_builds(rows: list[Mapping[str, Any]]) -> tuple[Build, ...]:
    """The builds among a project's occurrences about one image."""
    return tuple(build for row in rows for build in _builds(row.get("build")))


def _builds(body: Any) -> Iterator[Build]:
    if not isinstance(body, dict):
        return
    for key in ("inTotoSlsaProvenanceV1", "intotoStatement"):
        statement = body.get(key)
        if isinstance(statement, dict):
            predicate = statement.get("predicate") or statement.get("slsaProvenance")
            if isinstance(predicate, dict):
                yield build_of(predicate)
                return


def build_of(predicate: Mapping[str, Any]) -> Build:
    """A build from the predicate of SLSA provenance, v1 or v0.2.

    Its sources are all that came from Git: that of the configuration, and every material or dependency.
    """
    definition, details = _at(predicate, "buildDefinition"), _at(predicate, "runDetails")
    if definition:
        builder = _at(details, "builder")
        source = _at(definition, "externalParameters", "buildConfigSource")
        uris = [source.get("repository"), *_uris(definition.get("resolvedDependencies"))]
    else:
        builder = _at(predicate, "builder")
        source = _at(predicate, "invocation", "configSource")
        uris = [source.get("uri"), *_uris(predicate.get("materials"))]
    identity = builder.get("id")
    git = [uri for uri in uris if isinstance(uri, str) and uri.startswith(GIT)]
    return Build(
        builder=identity if isinstance(identity, str) else "",
        sources=tuple(dict.fromkeys(_path(uri) for uri in git)),
        config_based=bool(source),
        predicate=predicate,
    )


GIT: Final = ("git+", "git:", "ssh:", "https://github.com/", "https://gitlab.com/")
"""How a URI of Git sources begins; provenance also names images and archives."""


def _at(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The mapping at a path, empty if there is none."""
    for step in path:
        inner = value.get(step)
        value = inner if isinstance(inner, dict) else {}
    return value


def _uris(rows: Any) -> list[Any]:
    return [row.get("uri") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _path(uri: str) -> str:
    """A source without scheme, revision and the ending of Git's."""
    path = uri.partition("://")[2] or uri
    path = path.partition("@")[0].partition("#")[0]
    return path.removesuffix(".git").rstrip("/")
