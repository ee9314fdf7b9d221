"""Patterns of platform policies, which are not those of a project's policy.

``imageAllowlist.allowPattern``: a name alone stands for every tag and digest, a tag for every digest, a
digest for every tag. ``*`` at the end of the name is a rest without a slash, ``**`` any rest and only after a
slash; a tag may end in ``*`` (the documentation shows it, and says elsewhere that it may not). A digest is
never a pattern.

``trustedDirPatterns`` and ``trustedSourceRepoPatterns`` are patterns of paths: ``DirectoryPattern``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sekisho.diag import DiagnosticError
from sekisho.images.google.patterns import BadPatternError
from sekisho.oci.reference import is_digest, parse_reference

if TYPE_CHECKING:
    from sekisho.oci import Reference

_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowPattern:
    """``name`` is a normal form, or the beginning of one with a ``wildcard``; no tag, no digest: any."""

    text: str
    name: str
    wildcard: str = ""
    tag: str = ""
    any_tag_after: bool = False
    digest: str = ""

    def matches(self, image: Reference) -> bool:
        """Whether an image is one of these. An image without a tag has none, not ``latest``."""
        if self.digest and image.digest != self.digest:
            return False
        if self.tag and not (image.tag.startswith(self.tag) if self.any_tag_after else image.tag == self.tag):
            return False
        if not self.wildcard:
            return image.name == self.name
        rest = image.name[len(self.name) :]
        return image.name.startswith(self.name) and (self.wildcard == "**" or "/" not in rest)


def allow_pattern(text: str) -> AllowPattern:
    """Read a pattern; raises BadPatternError."""
    name, at, digest = text.partition("@")
    if at and not is_digest(digest):
        raise BadPatternError("the digest must be whole: a digest is never a pattern")
    name, tag = _split_tag(name)
    any_tag_after = tag.endswith("*")
    tag = tag.removesuffix("*")
    if any_tag_after and not tag:
        raise BadPatternError("a wildcard needs something before it in the tag")
    if tag and not _TAG.fullmatch(tag):
        raise BadPatternError("the tag is malformed")
    bare = name.rstrip("*")
    wildcard = name[len(bare) :]
    if "*" in bare or len(wildcard) > 2:
        raise BadPatternError("a wildcard is * or **, at the end of the name")
    if not bare:
        raise BadPatternError("a wildcard needs a name before it")
    if wildcard and (tag or digest):
        raise BadPatternError("a name with a wildcard has neither tag nor digest")
    if wildcard == "**" and not bare.endswith("/"):
        raise BadPatternError("** is allowed only after a slash")
    return AllowPattern(
        text=text,
        name=_normal(bare, wildcard),
        wildcard=wildcard,
        tag=tag,
        any_tag_after=any_tag_after,
        digest=digest,
    )


def _split_tag(name: str) -> tuple[str, str]:
    at = name.rfind(":")
    if at < 0 or "/" in name[at:]:
        return name, ""
    if at == len(name) - 1:
        raise BadPatternError("the tag is empty")
    return name[:at], name[at + 1 :]


def _normal(bare: str, wildcard: str) -> str:
    """The name, or what it begins with, in normal form."""
    if not wildcard:
        return _parsed(bare).name
    if "/" not in bare and ("." in bare or bare.startswith("localhost")):
        raise BadPatternError("the registry may not have a wildcard")
    # What follows is not known, so a letter stands for it and goes away again.
    whole = _parsed(f"{bare}x").name
    return whole[:-1]


def _parsed(text: str) -> Reference:
    try:
        return parse_reference(text)
    except DiagnosticError:
        raise BadPatternError("it is not an image's name, nor the beginning of one") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryPattern:
    """A path: ``host/path``, a ``*`` in front for a host's subdomain, ``*`` or ``**`` as the last element."""

    text: str
    subdomain: bool
    path: str
    wildcard: str = ""

    def matches(self, path: str) -> bool:
        """Whether a path (of a repository, or of sources without their scheme) is within it."""
        if self.subdomain:
            host, ending = path.partition("/")[0], self.path.partition("/")[0]
            if not host.endswith(ending) or host == ending:
                return False
            path = ending + path[len(host) :]
        if not self.wildcard:
            return path == self.path
        rest = path[len(self.path) :]
        return path.startswith(self.path) and bool(rest) and (self.wildcard == "**" or "/" not in rest)


def directory_pattern(text: str, *, subdomains: bool) -> DirectoryPattern:
    """Read a pattern; ``subdomains`` is whether a ``*`` may stand in front. Raises BadPatternError."""
    body = text.removeprefix("*") if subdomains else text
    subdomain = body != text
    if subdomain and not body.startswith(("-", ".")):
        raise BadPatternError("* in front stands for the beginning of a host, before - or .")
    path = body.rstrip("*")
    wildcard = body[len(path) :]
    if "*" in path or len(wildcard) > 2:
        raise BadPatternError("a wildcard is * or **, as the last element")
    if wildcard and not path.endswith("/"):
        raise BadPatternError("a wildcard at the end stands alone after a slash")
    if not path.strip("/") or "://" in path:
        raise BadPatternError("it is a host and a path, without a scheme")
    return DirectoryPattern(text=text, subdomain=subdomain, path=path, wildcard=wildcard)
