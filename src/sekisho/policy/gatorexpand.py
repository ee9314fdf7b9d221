"""``gator expand``: what objects will bring about, without judging anything.

As in gator, the objects are mutated before they are expanded, an object's Namespace is looked up among them,
and the Namespace ``default`` is always there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sekisho.diag import Diagnostic, DiagnosticError, Level
from sekisho.kube.object import Object
from sekisho.policy.expansion import Expansions
from sekisho.policy.external import Providers, Session
from sekisho.policy.match import Subject
from sekisho.policy.mutation import Mutators, Occasion

DEFAULT_NAMESPACE: Final = Object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})


def namespaces_of(objects: Iterable[Object]) -> Mapping[str, Object]:
    """The Namespaces among objects by name, and ``default``."""
    found = {row.name: row for row in objects if row.is_namespace}
    return {DEFAULT_NAMESPACE.name: DEFAULT_NAMESPACE, **found}


def expand_all(
    objects: Iterable[Object],
    *,
    providers: Providers | None = None,
    tell: Callable[[Diagnostic], None] = lambda _: None,
) -> list[Object]:
    """Every child of these objects, in gator's order: by name, version and kind, the last one first.

    Mutators and ExpansionTemplates are among the objects. Raises DiagnosticError for those that are wrong,
    and for an object that cannot be mutated or expanded. ``tell`` takes what is to be said of providers.
    """
    rows = tuple(objects)
    mutators, expansions = Mutators.build(rows), Expansions.build(rows)
    problems = [row for row in (*mutators.problems, *expansions.problems) if row.level is Level.ERROR]
    if problems:
        raise DiagnosticError(problems)
    namespaces = namespaces_of(rows)
    children: list[Object] = []
    for row in rows:
        session = Session(providers)
        occasion = Occasion(providers=session)
        subject = Subject(object=row, namespace=namespaces.get(row.namespace))
        mutated = mutators.mutate(subject, occasion).object
        found = expansions.expand(Subject(object=mutated, namespace=subject.namespace), mutators, occasion)
        children += (child.object for child in found)
        for warning in session.drain():
            tell(warning)
    return sorted(children, key=lambda row: row.name + row.api_version + row.kind, reverse=True)
