"""``gator sync test``: whether the kinds that templates need are synced into the inventory (policy.md 1.11).

A template says what it needs in an annotation: requirements, each of them a list of clauses, any kind of
which will do. SyncSets and the Config say what is synced, a GVKManifest what the cluster serves. What the
code of a template reads is known too, so where it and the annotation differ there is a warning.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Level, Path
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.policy import codes
from sekisho.policy.code import REGO, Choice, Compiler, Inventoried
from sekisho.policy.config import CONFIG, KINDS, is_config, synced_kinds
from sekisho.policy.template import Template, is_template, load_template

ANNOTATION: Final = "metadata.gatekeeper.sh/requires-sync-data"

Requirement = tuple[GVK, ...]
"""Kinds of which one is enough, in the order in which they are written."""

MANIFEST: Final = ("gvkmanifest.gatekeeper.sh", "GVKManifest")

_CLAUSE: Final = ("groups", "versions", "kinds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one template needs. ``reads`` is None where its code cannot be used, for other reasons."""

    object: Object
    requires: tuple[Requirement, ...]
    reads: tuple[Inventoried, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """The answer: by template name, what is missing and which annotations cannot be read.

    With an error in an annotation nothing is said to be missing. ``skipped`` are objects that are none of
    this test's business.
    """

    needs: tuple[Needs, ...] = ()
    missing: Mapping[str, tuple[Requirement, ...]] = field(default_factory=dict)
    errors: Mapping[str, Diagnostic] = field(default_factory=dict)
    skipped: tuple[Object, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()

    def problems(self) -> Iterator[Diagnostic]:
        """What is wrong, as findings."""
        yield from self.errors.values()
        for needs in self.needs:
            for requirement in self.missing.get(needs.object.name, ()):
                yield Diagnostic(
                    code=codes.NOT_SYNCED,
                    message=f"nothing syncs what the template requires: {requirement_text(requirement)}",
                    at=needs.object.at("metadata", "annotations", ANNOTATION, key=True),
                    policy=needs.object.name,
                    help="add one of the kinds to spec.gvks of a SyncSet",
                )


def sync_test(objects: Iterable[Object], *, omit_manifest: bool = False, compile: Compiler) -> SyncReport:
    """Compare what templates need with what is synced.

    ``omit_manifest`` takes every kind for one that the cluster serves. Raises DiagnosticError (POL093) for
    what is malformed, for a second Config or manifest, and for a missing manifest.
    """
    rows = _Rows.of(objects)
    errors: dict[str, Diagnostic] = {}
    needs: list[Needs] = []
    warnings: list[Diagnostic] = []
    for object in rows.templates:
        try:
            requires = requirements(object)
        except DiagnosticError as error:
            errors[object.name] = error.diagnostics[0]
            continue
        template, problems = _load(object, compile)
        warnings += problems
        reads = template.facts.inventoried if template else None
        needs.append(Needs(object=object, requires=requires, reads=reads))
        warnings += _differences(needs[-1], rows.synced)
    report = SyncReport(
        needs=tuple(needs), errors=errors, skipped=tuple(rows.others), warnings=tuple(warnings)
    )
    if errors:
        return report
    if rows.served is None and not omit_manifest:
        raise DiagnosticError(_no_manifest())
    usable = rows.synced if omit_manifest or rows.served is None else rows.synced & rows.served
    missing = {row.object.name: tuple(r for r in row.requires if usable.isdisjoint(r)) for row in needs}
    found = {name: unmet for name, unmet in missing.items() if unmet}
    return replace(report, missing=found)


def requirements(template: Object) -> tuple[Requirement, ...]:
    """What the annotation of a template asks for; raises DiagnosticError (POL091) where it is malformed."""
    text = template.annotations.get(ANNOTATION)
    if text is None:
        return ()
    try:
        value, _ = json.JSONDecoder().raw_decode(text.strip('\n"').lstrip())
    except (ValueError, RecursionError) as error:
        raise DiagnosticError(_bad_annotation(template, f"it is not JSON: {error}")) from None
    if value is None:
        return ()
    return tuple(_requirement(template, row) for row in _list(template, value, "the annotation"))


def requirement_text(requirement: Requirement) -> str:
    """``/v1:Service OR apps/v1:Deployment``, as gator writes it."""
    return " OR ".join(f"{gvk.group}/{gvk.version}:{gvk.kind}" for gvk in requirement)


def _requirement(template: Object, value: Any) -> Requirement:
    found: dict[GVK, None] = {}
    for clause in _list(template, value, "a requirement"):
        if not isinstance(clause, dict):
            raise DiagnosticError(_bad_annotation(template, "a clause must be an object"))
        for name in clause:
            if name not in _CLAUSE:
                raise DiagnosticError(_bad_annotation(template, f'json: unknown field "{name}"'))
        groups, versions, kinds = (_texts(template, clause.get(name), name) for name in _CLAUSE)
        for group in groups:
            for version in versions:
                found |= dict.fromkeys(GVK(group, version, kind) for kind in kinds)
    return tuple(found)


def _list(template: Object, value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise DiagnosticError(_bad_annotation(template, f"{what} must be a list"))
    return value


def _texts(template: Object, value: Any, name: str) -> Sequence[str]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DiagnosticError(_bad_annotation(template, f"{name} must be a list of strings"))
    return value


def _bad_annotation(template: Object, why: str) -> Diagnostic:
    return Diagnostic(
        code=codes.BAD_SYNC_ANNOTATION,
        message=f"the annotation {ANNOTATION} cannot be read: {why}",
        at=template.at("metadata", "annotations", ANNOTATION, key=True),
        policy=template.name,
    )


# --- what is synced ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Rows:
    """The objects by what they are. ``served`` is None without a manifest."""

    templates: list[Object] = field(default_factory=list)
    others: list[Object] = field(default_factory=list)
    synced: set[GVK] = field(default_factory=set)
    served: set[GVK] | None = None

    @classmethod
    def of(cls, objects: Iterable[Object]) -> _Rows:
        rows = cls()
        seen: set[tuple[str, str]] = set()
        for object in objects:
            key = (object.gvk.group, object.kind)
            if key in (CONFIG, MANIFEST) and key in seen:
                raise _malformed(object, ("metadata", "name"), _TWICE[key])
            seen.add(key)
            if is_template(object):
                rows.templates.append(object)
            elif is_config(object):
                _check(object, KINDS[key])
                rows.synced.update(synced_kinds(object))
            elif key == MANIFEST:
                rows.served = set(_served(object))
            else:
                rows.others.append(object)
        return rows


_TWICE: Final = {
    CONFIG: "multiple configs found; Config is a singleton resource",
    MANIFEST: "multiple GVK manifests found; please provide one manifest enumerating the GVKs supported by "
    "the cluster",
}


def _check(object: Object, path: Path) -> None:
    """Whether the kinds to sync of a Config or a SyncSet can be read; gator asks no more of them."""
    rows = object.get(*path)
    if rows is None:
        return
    if not isinstance(rows, list):
        raise _malformed(object, path, f"the kinds to sync of {object.ref()} must be a list")
    for index, row in enumerate(rows):
        values = [row.get(name, "") for name in ("group", "version", "kind")] if isinstance(row, dict) else []
        if not values or not all(isinstance(value, str) for value in values):
            message = "a kind to sync must be an object with group, version and kind"
            raise _malformed(object, (*path, index), message)


def _served(object: Object) -> Iterator[GVK]:
    """The kinds of a GVKManifest: group, then version, then a list of kinds."""
    base: Path = ("spec", "groups")
    for group, versions in _entries(object, base):
        for version, kinds in _entries(object, (*base, group)) if versions is not None else ():
            if kinds is None:
                continue
            if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
                raise _malformed(
                    object, (*base, group, version), "the kinds of a version must be a list of names"
                )
            yield from (GVK(group, version, kind) for kind in kinds)


def _entries(object: Object, path: Path) -> Iterable[tuple[str, Any]]:
    value = object.get(*path)
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise _malformed(object, path, f"{path[-1]} of a GVKManifest must be a mapping of names")
    return value.items()


def _malformed(object: Object, path: Path, message: str) -> DiagnosticError:
    return DiagnosticError(_sync_problem(message, object, path))


def _no_manifest() -> Diagnostic:
    return Diagnostic(
        code=codes.BAD_SYNC,
        message="no GVK manifest found; please provide a manifest enumerating the GVKs supported by the "
        "cluster",
        help="or take every kind for one that the cluster serves: --force-omit-gvk-manifest",
    )


def _sync_problem(message: str, object: Object, path: Path) -> Diagnostic:
    return Diagnostic(code=codes.BAD_SYNC, message=message, at=object.at(*path))


# --- what code reads --------------------------------------------------------------------------------------


_REGO: Final = Choice(engine=REGO)
"""Only Rego can read the inventory."""


def _load(object: Object, compile: Compiler) -> tuple[Template | None, list[Diagnostic]]:
    """The template; where it cannot be used, why, as warnings: that is not what this test is about."""
    try:
        return load_template(object, compile=compile, choice=_REGO), []
    except DiagnosticError as error:
        return None, [replace(found, level=Level.WARNING) for found in error.diagnostics]


def _differences(needs: Needs, synced: set[GVK]) -> Iterator[Diagnostic]:
    if needs.reads is None:
        return
    asked = [gvk for requirement in needs.requires for gvk in requirement]
    for read in needs.reads:
        if not any(read.may_be(gvk) for gvk in asked):
            missing = "" if any(read.may_be(gvk) for gvk in synced) else ", and nothing syncs it"
            yield _differs(
                codes.SYNC_DIFFERS,
                needs.object,
                f"the code reads {read}, which the annotation does not ask for{missing}",
                "name the kinds that it reads in the annotation",
            )
    for requirement in needs.requires:
        if not any(read.may_be(gvk) for read in needs.reads for gvk in requirement):
            yield _differs(
                codes.SYNC_DIFFERS,
                needs.object,
                f"the annotation asks for {requirement_text(requirement)}, which the code does not read",
                "leave it out: what is synced takes memory",
            )


def _differs(code: Code, template: Object, message: str, help: str) -> Diagnostic:
    known = ANNOTATION in template.annotations
    at = (
        template.at("metadata", "annotations", ANNOTATION, key=True)
        if known
        else template.at("metadata", "name")
    )
    return Diagnostic(code=code, level=Level.WARNING, message=message, at=at, policy=template.name, help=help)
