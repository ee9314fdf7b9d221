"""Bundles: lists of policies with constraints for each, and the rules of a standard that they stand for.

A bundle's file has ``title``, ``description``, ``match`` (of its constraints, unless they say another), and
``policies``: rows with ``kind`` and ``name`` of a constraint, its ``parameters``, and ``references``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.kube.ladder import Rung
from sekisho.kube.object import Object
from sekisho.policy.constraint import ACTIONS
from sekisho.policy.constraint import GROUP as CONSTRAINTS
from sekisho.policy.library import codes, files
from sekisho.policy.library.entry import OURS, Entry, entry

FOLDER: Final = "bundles"

ACTION: Final[Mapping[Rung, str]] = {rung: word for word, rung in ACTIONS.items()}
"""The enforcementAction of each rung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A row of a bundle: a constraint of a policy. ``references`` are rules of standards, by their ids."""

    kind: str
    name: str
    match: Mapping[str, Any]
    parameters: Mapping[str, Any] | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle: its members in the order in which they are written."""

    name: str
    title: str
    description: str
    members: tuple[Member, ...]

    @property
    def policies(self) -> tuple[Entry, ...]:
        """The policies that it needs, each once."""
        return tuple(entry(kind) for kind in dict.fromkeys(member.kind for member in self.members))

    def constraints(self, rung: Rung | None = None) -> tuple[Object, ...]:
        """Its constraints. A rung lays down what is done about violations; without one it is denied."""
        return tuple(at_rung(_constraint(self, member), rung) for member in self.members)


def bundle_names() -> tuple[str, ...]:
    """The names of all bundles."""
    return files.names_in(FOLDER)


def bundle(name: str) -> Bundle:
    """The bundle of this name; raises DiagnosticError (POL201) if there is none."""
    if name not in bundle_names():
        raise files.unknown(codes.UNKNOWN_BUNDLE, "bundle", name, bundle_names())
    raw = files.value(f"{FOLDER}/{name}.yaml")
    return Bundle(
        name=name,
        title=raw["title"],
        description=raw["description"],
        members=tuple(
            Member(
                kind=row["kind"],
                name=row["name"],
                match=row.get("match") or raw["match"],
                parameters=row.get("parameters"),
                references=tuple(row.get("references") or ()),
            )
            for row in raw["policies"]
        ),
    )


def bundle_objects(names: Iterable[str], *, known: Iterable[Object] = ()) -> tuple[Object, ...]:
    """The templates and constraints of these bundles, each once.

    Where a template of the same name is ``known`` already, as where somebody uses another library beside this
    one, that one stands: two of one kind cannot be used together. Raises DiagnosticError (POL201).
    """
    taken = {object.name for object in known if object.kind == "ConstraintTemplate"}
    templates: dict[str, Object] = {}
    constraints: list[Object] = []
    for found in map(bundle, dict.fromkeys(names)):
        templates |= {row.name: row.template for row in found.policies if row.name not in taken}
        constraints += found.constraints()
    return (*templates.values(), *constraints)


def at_rung(constraint: Object, rung: Rung | None) -> Object:
    """A constraint with the enforcementAction of a rung; as it is without one."""
    if rung is None:
        return constraint
    spec = {"enforcementAction": ACTION[rung], **constraint.raw["spec"]}
    return constraint.replaced({**constraint.raw, "spec": spec})


def _constraint(bundle: Bundle, member: Member) -> Object:
    spec: dict[str, Any] = {"match": member.match}
    if member.parameters is not None:
        spec["parameters"] = member.parameters
    return Object(
        {
            "apiVersion": f"{CONSTRAINTS}/v1beta1",
            "kind": member.kind,
            "metadata": {"name": member.name, "labels": {f"{OURS}/bundle": bundle.name}},
            "spec": spec,
        }
    )
