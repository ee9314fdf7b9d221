"""The environment in which Kubernetes compiles expressions, by its version.

Facts from k8s.io/apiserver ``pkg/cel/environment/base.go``. A version is that of the API server's
compatibility version: a library is there from the version that brought it on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from sekisho.cel.environment import KUBERNETES, NO_VARIABLES, Environment
from sekisho.cel.extensions.lists import lists as extension_lists
from sekisho.cel.extensions.optionals import OPTIONAL_LISTS
from sekisho.cel.extensions.sets import SETS
from sekisho.cel.extensions.strings import strings
from sekisho.cel.kubernetes.authorizer import AUTHZ, AUTHZ_SELECTORS
from sekisho.cel.kubernetes.costs import priced
from sekisho.cel.kubernetes.formats import NAMED_FORMATS
from sekisho.cel.kubernetes.jsonpatch import JSON_PATCH
from sekisho.cel.kubernetes.lists import lists
from sekisho.cel.kubernetes.net import ADDRESSES, NETWORKS
from sekisho.cel.kubernetes.quantity import QUANTITIES
from sekisho.cel.kubernetes.regex import REGEX
from sekisho.cel.kubernetes.semver import semver
from sekisho.cel.kubernetes.urls import URLS
from sekisho.cel.library import Library
from sekisho.cel.standard import MESSAGES, OPTIONALS, TWO_VARIABLES
from sekisho.cel.types import CelType

Minor = int
"""The second number of a version of Kubernetes: 33 for 1.33."""

LATEST: Final = 37
"""The newest version that is known here: 1.37. A newer one gets what this has."""

_FOREVER: Final = 1_000


def _priced(library: Library) -> Library:
    """A library of cel-go's with the costs that Kubernetes knows for its functions."""
    return replace(library, overloads=priced(library.overloads))


LIBRARIES: Final[tuple[tuple[Minor, Minor, Library], ...]] = (
    (0, _FOREVER, MESSAGES),
    (0, _FOREVER, URLS),
    (0, _FOREVER, REGEX),
    (0, 37, lists(0)),
    (0, 29, _priced(strings(0))),
    (27, _FOREVER, AUTHZ),
    (28, _FOREVER, OPTIONALS),
    (28, _FOREVER, OPTIONAL_LISTS),
    (28, _FOREVER, QUANTITIES),
    (29, _FOREVER, _priced(strings(2))),
    (29, _FOREVER, SETS),
    (30, _FOREVER, ADDRESSES),
    (30, _FOREVER, NETWORKS),
    (31, _FOREVER, NAMED_FORMATS),
    (31, _FOREVER, AUTHZ_SELECTORS),
    (32, _FOREVER, TWO_VARIABLES),
    (33, _FOREVER, semver(1)),
    (34, _FOREVER, extension_lists(3)),
    (37, _FOREVER, lists(1)),
)
"""Libraries with the versions that brought them and that removed them."""


def minor_of(version: str) -> Minor:
    """``1.33``, ``v1.33.2`` → 33. Raises ValueError for what is no version of Kubernetes."""
    major, _, rest = version.removeprefix("v").partition(".")
    minor = rest.partition(".")[0]
    if major != "1" or not minor.isascii() or not minor.isdigit() or len(minor) > 3:
        raise ValueError(f"{version!r} is no version of Kubernetes")
    return int(minor)


@cache
def _base(minor: Minor) -> Environment:
    return Environment(
        libraries=tuple(library for since, until, library in LIBRARIES if since <= minor < until),
        options=replace(KUBERNETES, optional_syntax=minor >= 28, literals=minor >= 29),
    )


def kubernetes_environment(
    version: str = f"1.{LATEST}", *, variables: Mapping[str, CelType] = NO_VARIABLES, patches: bool = False
) -> Environment:
    """What expressions are compiled against in a version of Kubernetes.

    ``variables``: what the place declares (``object``, ``params``; ``AUTHORIZER_VARIABLES``). ``patches``:
    with the functions that only mutating policies have. Raises ValueError for what is no version.
    """
    base = _base(minor_of(version))
    if patches:
        base = replace(base, libraries=(*base.libraries, JSON_PATCH))
    return base.with_variables(variables) if variables else base
