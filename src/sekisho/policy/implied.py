"""Findings about objects that an object will bring about: they are the object's own, at its own fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sekisho.diag import ObjectPath
from sekisho.kube.gvk import NO_RESOURCE
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Request
from sekisho.policy.constraint import ACTIONS
from sekisho.policy.expansion import Resultant

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
    path = found.at.path if isinstance(found.at, ObjectPath) else ()
    diagnostic = replace(
        found,
        message=message,
        at=child.place(ancestor, path),
        data={**found.data, IMPLIED_BY: template.name},
    )
    name = found.policy.rpartition("/")[2]
    word = template.action or finding.word
    return Finding.of(diagnostic, ACTIONS[word], word=word, line=f"[{name}] {message}")
