"""Image references: one strict grammar, one normal form.

The grammar is the distribution project's (``reference.go``); what container runtimes take is within it. The
normal form has the registry always (``docker.io`` where none is written, in lower case), ``library/`` before
a single name of docker.io, and no tag that was not written. Everything that compares references, compares
normal forms; what is outside ASCII is refused, so no two texts that look alike mean different images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from sekisho.diag import Diagnostic, DiagnosticError, Limit
from sekisho.oci import codes

NAME: Final = Limit("an image's name", 255, "characters", "the distribution specification's bound")

DOCKER: Final = "docker.io"
LIBRARY: Final = "library/"
_ALIASES: Final = {"index.docker.io": DOCKER, "registry-1.docker.io": DOCKER}
"""Other names of the same registry, which mean the same images."""

PORT_MAX: Final = 65_535

_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST: Final = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?")
_PATH: Final = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_IDENTIFIER: Final = re.compile(r"[0-9a-f]{64}")
_TAG: Final = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Which image: ``registry`` (host, perhaps with a port), ``repository`` within it, tag and digest.

    Tag and digest are empty where they are not written. With both the digest says which image.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Registry and repository: ``gcr.io/shop/cart``."""
        return f"{self.registry}/{self.repository}"

    def at(self, digest: str) -> Reference:
        """The same repository at a digest, without a tag. Raises DiagnosticError (OCI001)."""
        if not is_digest(digest):
            raise _bad(digest, "is not a digest: sha256 with 64 or sha512 with 128 lower-case hex digits")
        return replace(self, tag="", digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}{'@' if self.digest else ''}{self.digest}"


def parse_reference(text: str) -> Reference:
    """Read a reference; raises DiagnosticError (OCI001) that says which part is wrong."""
    name, at, digest = text.partition("@")
    if at and not is_digest(digest):
        raise _bad(text, "its digest is not sha256 with 64 or sha512 with 128 lower-case hex digits")
    name, tag = _split_tag(name)
    if tag is not None and not _TAG.fullmatch(tag):
        raise _bad(text, "its tag is not 1 to 128 of A-Z a-z 0-9 _ . - that begin with none of . -")
    registry, repository = _split_registry(name)
    if not _HOST.fullmatch(registry):
        raise _bad(text, f'"{registry}" is not a host')
    if not _PATH.fullmatch(repository):
        raise _bad(text, _path_problem(repository))
    registry = _ALIASES.get(registry.lower(), registry.lower())
    if registry == DOCKER and "/" not in repository:
        repository = LIBRARY + repository
    if registry == DOCKER and _IDENTIFIER.fullmatch(name):
        raise _bad(text, "runtimes take 64 hex digits for the id of an image that they have, not for a name")
    port = registry.rpartition("]")[2].rpartition(":")[2]
    if port.isdigit() and int(port) > PORT_MAX:
        raise _bad(text, f'"{registry}" has no port')
    if NAME.exceeded_by(len(registry) + 1 + len(repository)):
        raise _bad(text, str(NAME))
    return Reference(registry=registry, repository=repository, tag=tag or "", digest=digest)


def is_digest(text: str) -> bool:
    """Whether a text is a digest of an algorithm that images have."""
    return _DIGEST.fullmatch(text) is not None


def _split_tag(name: str) -> tuple[str, str | None]:
    """A colon after the last slash begins a tag; one before belongs to a port."""
    at = name.rfind(":")
    if at < 0 or "/" in name[at:]:
        return name, None
    return name[:at], name[at + 1 :]


def _split_registry(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        return first, rest
    return DOCKER, name


def _path_problem(repository: str) -> str:
    if not repository:
        return "it names no image"
    if repository != repository.lower():
        return "names of images are in lower case"
    return "names of images are a-z and 0-9, with . _ __ or - between, in parts between slashes"


def _bad(text: str, why: str) -> DiagnosticError:
    shown = text if len(text) <= NAME.value else f"{text[: NAME.value]}…"
    return DiagnosticError([Diagnostic(code=codes.BAD_REFERENCE, message=f"{shown!r} cannot be used: {why}")])
