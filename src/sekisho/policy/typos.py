"""What ``match`` and ``applyTo`` let pass in silence although it means something else than it says.

Gatekeeper takes any text for a scope, a kind and a namespace. A typo there widens a policy, or switches it
off, and nobody notices; here it is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, Level, Path
from sekisho.kube.gvk import KindInfo, Scheme
from sekisho.kube.object import Object
from sekisho.kube.selectors import wildcard_matches
from sekisho.policy import codes

SCOPES: Final = ("*", "Cluster", "Namespaced")

NAME_LENGTH: Final = 63
"""Characters of a Namespace's name, at most."""

MOST: Final = 20
"""Warnings of one policy about its kinds; more of them are one mistake."""

REVIEWED: Final = frozenset(
    {
        *(("", f"{name}Options") for name in ("PodExec", "PodAttach", "PodPortForward")),
        *(("", f"{name}ProxyOptions") for name in ("Pod", "Service", "Node")),
        ("policy", "Eviction"),
        ("autoscaling", "Scale"),
        ("authentication.k8s.io", "TokenRequest"),
    }
)
"""Kinds of which no object is stored, but requests are made: subresources."""

FORMER: Final = frozenset({"extensions"})
"""Groups without a dot that Kubernetes had once: constraints for old clusters still name them."""

_VERSION: Final = re.compile(r"v[0-9]+((alpha|beta)[0-9]+)?\Z")

Patterns = Sequence[tuple[Path, str]]
"""Wildcards, each with its place."""


def match_warnings(raw: Any, owner: Object, path: Path = ("spec", "match")) -> Iterator[Diagnostic]:
    """Scopes that are none, and patterns that no namespace can match, in a match whose shape is right."""
    if not isinstance(raw, Mapping):
        return
    scope = raw.get("scope")
    if isinstance(scope, str) and scope and scope not in SCOPES:
        message = f'scope "{scope}" is neither Cluster nor Namespaced: it matches objects of both scopes'
        yield _warn(codes.MATCH_TYPO, owner, (*path, "scope"), message, "write Cluster, Namespaced or *")
    wanted, excluded = (_patterns(raw, field, path) for field in ("namespaces", "excludedNamespaces"))
    for at, pattern in (*wanted, *excluded):
        if why := _no_namespace(pattern):
            message = f'no namespace matches "{pattern}": {why}'
            yield _warn(codes.MATCHES_NOTHING, owner, at, message)
    for at, pattern in wanted:
        over = next((other for _, other in excluded if covers(other, pattern)), None)
        if over is not None:
            message = f'"{pattern}" matches nothing: excludedNamespaces takes it all away with "{over}"'
            yield _warn(codes.MATCHES_NOTHING, owner, at, message)


def kind_warnings(owners: Iterable[Object], scheme: Scheme) -> Iterator[Diagnostic]:
    """Kinds that constraints, mutators and expansion templates name although there are none such.

    ``scheme`` has the built-in kinds and those of the CustomResourceDefinitions at hand. Of groups that it
    does not know nothing is said: their definitions need not be at hand.
    """
    known = _Known(scheme)
    for owner in owners:
        yield from islice(_kinds(owner, known), MOST)


class _Known:
    """The kinds that there are, looked up in the ways in which people get them wrong."""

    def __init__(self, scheme: Scheme) -> None:
        self.groups = frozenset(info.group for info in scheme.kinds())
        self._scheme = scheme
        self._loose: dict[str, KindInfo] = {}
        self._named: dict[str, list[KindInfo]] = {}
        for info in scheme.kinds():
            self._named.setdefault(info.kind, []).append(info)
            for name in (info.kind.lower(), info.plural):
                self._loose.setdefault(name, info)

    def find(self, group: str, kind: str) -> KindInfo | None:
        return self._scheme.find(group, kind)

    def named(self, kind: str) -> Sequence[KindInfo]:
        """Kinds of this name, in any group."""
        return self._named.get(kind, ())

    def meant(self, kind: str) -> KindInfo | None:
        """The kind of which this is the plural, or the name in another case."""
        return self._loose.get(kind.lower())


def _kinds(owner: Object, known: _Known) -> Iterator[Diagnostic]:
    match = owner.get("spec", "match")
    raw = match if isinstance(match, Mapping) else {}
    rows = [(("spec", "match", "kinds", at), row, "apiGroups") for at, row in _rows(raw.get("kinds"))]
    for path, row, groups in rows:
        yield from _entry(owner, path, row, groups, known)
    for at, row in _rows(owner.get("spec", "applyTo")):
        yield from _entry(owner, ("spec", "applyTo", at), row, "groups", known)
    yield from _contradiction(owner, raw.get("scope"), [row for _, row, _ in rows], known)


def _entry(
    owner: Object, path: Path, row: Mapping[str, Any], field: str, known: _Known
) -> Iterator[Diagnostic]:
    """The warnings about one entry: its groups, then its kinds in them."""
    groups = _texts(row.get(field))
    for at, group in enumerate(groups):
        if problem := _no_group(group, known):
            yield _warn(codes.NO_SUCH_KIND, owner, (*path, field, at), *problem)
    for at, kind in enumerate(_texts(row.get("kinds"))):
        if kind and kind != "*" and (problem := _no_kind(kind, groups, known)):
            yield _warn(codes.NO_SUCH_KIND, owner, (*path, "kinds", at), *problem)


def _no_group(group: str, known: _Known) -> tuple[str, str] | None:
    if group in known.groups or group in FORMER or group == "*":
        return None
    if "/" in group or _VERSION.match(group):
        name = group.rpartition("/")[0]
        return f'"{group}" is no API group: it has a version', f'write "{name}"'
    if group == "core":
        return 'there is no API group "core"', 'the group of Pods, Services and the like is ""'
    if "." not in group:
        lower = f'write "{group.lower()}"' if group.lower() in known.groups else ""
        return f'there is no API group "{group}"', lower
    return None


def _no_kind(kind: str, groups: Sequence[str], known: _Known) -> tuple[str, str] | None:
    """What is wrong with a kind, and what was meant; None where it may exist."""
    anywhere = not groups or "*" in groups
    if any((group, kind) in REVIEWED or known.find(group, kind) for group in groups):
        return None
    if anywhere and (known.named(kind) or any(name == kind for _, name in REVIEWED)):
        return None
    meant = known.meant(kind)
    if meant is not None and meant.kind != kind and (anywhere or meant.group in groups):
        return f"there is no kind {kind}", f"write {meant.kind}"
    if anywhere or not all(group in known.groups for group in groups):
        return None
    others = sorted({info.group for info in known.named(kind)})
    where = " or ".join(f'"{group}"' for group in groups[:3])
    help = f'{kind} is in the group "{others[0]}"' if others else "of Kubernetes 1.25 to 1.37 none has it"
    return f"there is no kind {kind} in the group {where}", help


def _contradiction(
    owner: Object, scope: Any, rows: Sequence[Mapping[str, Any]], known: _Known
) -> Iterator[Diagnostic]:
    """A scope in which none of the kinds live."""
    if scope not in ("Cluster", "Namespaced") or not rows:
        return
    lives: set[bool] = set()
    names: dict[str, None] = {}
    for row in rows:
        for kind in _texts(row.get("kinds")) or ["*"]:
            groups = _texts(row.get("apiGroups"))
            found = [known.find(group, kind) for group in groups if group != "*"]
            if not found or None in found or "*" in groups:
                return
            lives |= {info.namespaced for info in found if info is not None}
            names[kind] = None
    if lives == {scope == "Cluster"}:
        where = "in namespaces" if scope == "Cluster" else "in no namespace"
        listed = ", ".join(islice(names, 3))
        message = f'scope "{scope}" leaves nothing to match: {listed} live {where}'
        yield _warn(codes.MATCHES_NOTHING, owner, ("spec", "match", "scope"), message)


def _no_namespace(pattern: str) -> str:
    """Why no namespace can have such a name; empty if one can."""
    core = pattern.removeprefix("*").removesuffix("*") if len(pattern) > 1 else pattern.strip("*")
    if not pattern:
        return "no name is empty"
    if ":" in core:
        return "no name has a colon"
    if len(core) > NAME_LENGTH:
        return f"no name has more than {NAME_LENGTH} characters"
    begins, ends = not pattern.startswith("*"), not pattern.endswith("*")
    if (begins and core.startswith("-")) or (ends and core.endswith("-")):
        return "no name begins or ends with a hyphen"
    return ""


def covers(other: str, pattern: str) -> bool:
    """Whether every name that one pattern matches is matched by the other one too."""
    starts, ends = pattern.startswith("*"), pattern.endswith("*")
    if not starts and not ends:
        return wildcard_matches(other, pattern)
    core = pattern.removeprefix("*").removesuffix("*") if pattern != "*" else ""
    others, otherends = other.startswith("*"), other.endswith("*")
    if others and otherends:
        return other[1:].removesuffix("*") in core
    if otherends:
        return not starts and core.startswith(other[:-1])
    return others and not ends and core.endswith(other[1:])


def _patterns(raw: Mapping[str, Any], field: str, path: Path) -> Patterns:
    return [((*path, field, at), value) for at, value in enumerate(_texts(raw.get(field)))]


def _rows(raw: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for at, row in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(row, Mapping):
            yield at, row


def _texts(raw: Any) -> list[str]:
    return [value for value in raw if isinstance(value, str)] if isinstance(raw, list) else []


def _warn(code: Code, owner: Object, path: Path, message: str, help: str = "") -> Diagnostic:
    return Diagnostic(code=code, level=Level.WARNING, message=message, at=owner.at(*path), help=help)
