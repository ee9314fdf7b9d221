"""``admissionWhitelistPatterns`` of a project's policy: a name, or the beginning of one and ``*`` or ``**``.

Google compares texts; here both sides are brought into the normal form of references first, so that
``nginx*`` and ``docker.io/library/nginx*`` are one pattern. Tag and digest are text like the rest: a name
without them matches only an image that is written without them. Platform policies have another language,
``images.google.platformpatterns``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sekisho.oci import Reference

DOCKER: Final = "docker.io"
_ALIASES: Final = ("docker.io", "index.docker.io", "registry-1.docker.io")
_TEXT: Final = re.compile(r"[A-Za-z0-9._:/@\[\]-]*")


class BadPatternError(ValueError):
    """A pattern that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePattern:
    """A pattern: ``text`` as it was written, the normal forms that an image may begin with, and the rest.

    ``wildcard`` is empty (the whole text), ``*`` (a rest without a slash) or ``**`` (any rest).
    """

    text: str
    prefixes: tuple[str, ...]
    wildcard: str = ""

    def matches(self, image: Reference) -> bool:
        """Whether an image, as it is written, is one of these."""
        text = str(image)
        for prefix in self.prefixes:
            if not text.startswith(prefix):
                continue
            rest = text[len(prefix) :]
            if self.wildcard == "**" or (not rest if not self.wildcard else "/" not in rest):
                return True
        return False


def name_pattern(text: str) -> NamePattern:
    """Read a pattern; raises BadPatternError."""
    prefix = text.rstrip("*")
    wildcard = text[len(prefix) :]
    if "*" in prefix:
        raise BadPatternError("a wildcard is allowed only at the end")
    if len(wildcard) > 2:
        raise BadPatternError("a wildcard is * or **")
    if not prefix:
        raise BadPatternError(
            "a wildcard needs a registry and a name before it" if wildcard else "it is empty"
        )
    if not _TEXT.fullmatch(prefix):
        raise BadPatternError("it has characters that no image reference has")
    return NamePattern(text=text, prefixes=_prefixes(prefix, wildcard), wildcard=wildcard)


def _prefixes(prefix: str, wildcard: str) -> tuple[str, ...]:
    """The normal forms of the beginning of a name."""
    first, slash, rest = prefix.partition("/")
    host = first == "localhost" or "." in first or ":" in first
    if host and not slash:
        if wildcard and not _is_tagged(first):
            raise BadPatternError("the registry may not have a wildcard")
        host = False  # a name of docker.io with a tag: nginx:1.25
    if host and first.lower() not in _ALIASES:
        return (f"{first.lower()}/{rest}",)
    path = rest if host else prefix
    if "/" in path or not path:
        return (f"{DOCKER}/{path}",)
    library = f"{DOCKER}/library/{path}"
    # ``nginx**`` may go on with a slash, and then nginx is the name of an account.
    return (library, f"{DOCKER}/{path}") if wildcard == "**" else (library,)


def _is_tagged(text: str) -> bool:
    """Whether ``name:tag`` or ``name@digest`` without a registry is meant, not a host (with a port)."""
    name, colon, rest = text.partition("@" if "@" in text else ":")
    return bool(colon) and "." not in name and not rest.isdecimal()
