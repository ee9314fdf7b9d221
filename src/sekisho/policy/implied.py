"""Findings about objects that an object will bring about: they are the object's own, at its own fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from sekisho.diag import ObjectPath, Path
from sekisho.kube.gvk import NO_RESOURCE
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Request
from sekisho.policy.constraint import rung_of
from sekisho.policy.expansion import IMPLIED, Resultant

IMPLIED_BY: Final = "impliedBy"
"""The key in a finding's data that names the ExpansionTemplate."""


def child_request(request: Request, child: Resultant) -> Request:
    """The question whether a child may be; it is nobody's, since controllers make children."""
    made = Request.of(child.object, operation=request.operation)
    return replace(
        made,
        resource=NO_RESOURCE if request.resource == NO_RESOURCE else made.resource,
        namespace=child.object.namespace,
        dry_run=request.dry_run,
        namespace_object=request.namespace_object,
        generated_by=child.template.name,
    )


def as_implied(finding: Finding, child: Resultant, ancestor: Object) -> Finding:
    """A finding about a child as one about the object that brings it about."""
    found, template = finding.diagnostic, child.template
    message = f"[Implied by {template.name}] {found.message}"
    path: Path = found.at.path if isinstance(found.at, ObjectPath) else ()
    diagnostic = replace(
        found,
        message=message,
        at=child.place(ancestor, path),
        data={**found.data, IMPLIED_BY: template.name},
    )
    for mutator in {
        row.mutator.policy: row.mutator for row in child.changes if _within(path, row.path)
    }.values():
        at = mutator.object.at("spec", "location")
        diagnostic = diagnostic.with_note(f"{mutator.policy} set this", at)
    name = found.policy.rpartition("/")[2]
    word = template.action or finding.word
    return Finding.of(diagnostic, rung_of(word), word=word, line=f"[{name}] {message}")


def _within(path: Path, field: Path) -> bool:
    return path[: len(field)] == field


_DEFAULTS: Final = frozenset(template.name for template in IMPLIED.values())


def is_default(child: Resultant) -> bool:
    """Whether an object has this child without any ExpansionTemplate, as a Deployment has its Pods."""
    return child.template.name in _DEFAULTS


def without_repeats(implied: Iterable[Finding], own: Iterable[Finding]) -> Iterator[Finding]:
    """The implied findings, without those that the object's own already make.

    Many templates look into pod templates themselves. What one of them says of a field is not said again
    because the same field is also a Pod's; that a written ExpansionTemplate implies it is always said.
    """
    said = {_fault(finding) for finding in own}
    for finding in implied:
        if finding.diagnostic.data[IMPLIED_BY] not in _DEFAULTS or _fault(finding) not in said:
            yield finding


def _fault(finding: Finding) -> Any:
    at = finding.diagnostic.at
    return finding.policy, at.path if isinstance(at, ObjectPath) else None
