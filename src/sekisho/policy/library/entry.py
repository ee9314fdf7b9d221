"""Policies of the library: a folder each, with a template, samples and a suite.

A policy's name is that of its template, the kind in lower case. What the template's annotations and the
schema of its parameters say is all that is known of it; the docs pages are made from the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.kube.object import Object
from sekisho.policy.library import codes, files

FOLDER: Final = "policies"
TEMPLATE: Final = "template.yaml"
CONSTRAINT: Final = "constraint.yaml"
SUITE: Final = "suite.yaml"

GATEKEEPER: Final = "metadata.gatekeeper.sh"
OURS: Final = "library.sekisho.dev"
"""Whose annotations the metadata are: the ones that Gatekeeper's tools show, and the rest."""


_SAMPLE: Final = re.compile(rf"samples/([^/]+)/{CONSTRAINT}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter: its type as people write it (``[string]``), and what it is for."""

    name: str
    type: str
    description: str
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One policy. ``requires`` are the kinds that have to be in the inventory, as ``group/version Kind``."""

    name: str
    template: Object

    @property
    def kind(self) -> str:
        """The kind of its constraints."""
        return str(self.template.get("spec", "crd", "spec", "names", "kind"))

    @property
    def title(self) -> str:
        """A few words."""
        return self._annotation(f"{GATEKEEPER}/title")

    @property
    def version(self) -> str:
        """The version of the template."""
        return self._annotation(f"{GATEKEEPER}/version")

    @property
    def description(self) -> str:
        """What it wants and why, a paragraph."""
        return self._annotation("description")

    @property
    def category(self) -> str:
        """What it is about: images, network, …"""
        return self._annotation(f"{OURS}/category")

    @property
    def severity(self) -> str:
        """How grave a violation is: low, medium, high or critical."""
        return self._annotation(f"{OURS}/severity")

    @property
    def bundles(self) -> tuple[str, ...]:
        """The bundles that it is in."""
        return tuple(filter(None, self._annotation(f"{OURS}/bundles").split(", ")))

    @property
    def requires(self) -> str:
        """What has to be synced for it, as the annotation says; empty if it needs nothing."""
        return self._annotation(f"{GATEKEEPER}/requires-sync-data")

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that it is written for."""
        return tuple(row["engine"] for row in self.template.get("spec", "targets", 0, "code") or ())

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters, in the order of the schema."""
        schema = self.template.get("spec", "crd", "spec", "validation", "openAPIV3Schema") or {}
        return tuple(_parameters("", schema))

    @property
    def samples(self) -> tuple[str, ...]:
        """The names of its sample constraints, as its suite has them: the most telling one comes first."""
        return tuple(dict.fromkeys(_SAMPLE.findall(self.text(SUITE))))

    def sample(self, name: str) -> Object:
        """A sample constraint."""
        return files.load(f"{FOLDER}/{self.name}/samples/{name}/{CONSTRAINT}")

    def text(self, path: str = TEMPLATE) -> str:
        """The text of one of its files."""
        return files.text(f"{FOLDER}/{self.name}/{path}")

    def has(self, path: str) -> bool:
        """Whether it has a file of this name."""
        return (files.ROOT / FOLDER / self.name / path).is_file()

    def _annotation(self, key: str) -> str:
        return str(self.template.annotations.get(key, ""))


def entry_names() -> tuple[str, ...]:
    """The names of all policies."""
    return files.names_in(FOLDER)


def entry(name: str) -> Entry:
    """The policy of this name or kind, in any case; raises DiagnosticError (POL200) if there is none."""
    lower = name.lower()
    if lower not in entry_names():
        raise files.unknown(codes.UNKNOWN_POLICY, "policy", name, entry_names())
    return Entry(name=lower, template=files.load(f"{FOLDER}/{lower}/{TEMPLATE}"))


def _parameters(base: str, schema: Mapping[str, Any]) -> Iterator[Parameter]:
    """The properties of a schema, each followed by those below it."""
    for name, row in (schema.get("properties") or {}).items():
        path = f"{base}.{name}" if base else name
        yield Parameter(
            name=path,
            type=_type(row),
            description=" ".join(row.get("description", "").split()),
            default=row.get("default"),
        )
        yield from _parameters(path, row)
        if row.get("type") == "array":
            yield from _parameters(f"{path}[]", row.get("items") or {})


def _type(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array":
        return f"[{_type(schema.get('items') or {})}]"
    values = schema.get("enum")
    return " | ".join(map(str, values)) if values else str(schema.get("type", "any"))
