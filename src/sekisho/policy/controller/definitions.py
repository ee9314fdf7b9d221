"""CustomResourceDefinitions: of a template's constraints, in Gatekeeper's form, and those that are shipped.

A constraint's kind is defined by its template, and goes with it (its definition is owned by the template).
The kinds of the policy library are defined from the start, by nobody's template: constraints of these may
come before their template, and stay when it goes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

from sekisho import manifest
from sekisho.diag import Source
from sekisho.kube.object import Object
from sekisho.kube.schema import keep_unknown
from sekisho.policy.constraint import GROUP, VERSIONS
from sekisho.policy.library import entry, entry_names
from sekisho.policy.template import GROUP as TEMPLATES
from sekisho.policy.template import LEGACY_BY_DEFAULT

Raw = dict[str, Any]

API_VERSION: Final = "apiextensions.k8s.io/v1"
KIND: Final = "CustomResourceDefinition"

CONSTRAINT_LABEL: Final = "gatekeeper.sh/constraint"
"""The label of every definition of constraints; its value is ``yes``."""

SHIPPED_LABEL: Final = "library.sekisho.dev/shipped"
"""The label of a definition that stands without a template, so that none owns it."""

PACKAGES: Final = ("sekisho.policy", "sekisho.kube")
"""Packages whose folder ``crds`` has definitions."""

COLUMNS: Final = (
    {
        "name": "enforcement-action",
        "description": "Type of enforcement action",
        "jsonPath": ".spec.enforcementAction",
        "type": "string",
    },
    {
        "name": "total-violations",
        "description": "Total number of violations",
        "jsonPath": ".status.totalViolations",
        "type": "integer",
    },
)
"""What ``kubectl get constraints`` shows."""


def shipped() -> Iterator[Raw]:
    """The definitions of everything that policies are made of, but for constraints."""
    for package in PACKAGES:
        folder = resources.files(package).joinpath("crds")
        for file in sorted(folder.iterdir(), key=lambda row: row.name):
            if file.name.endswith(".yaml"):
                source = Source(f"crds/{file.name}", file.read_text(encoding="utf-8"))
                rows = (document.value for document in manifest.load(source))
                yield from (row for row in rows if row.get("kind") == KIND)


def of_library() -> Iterator[Raw]:
    """The definitions of the constraints of the policy library."""
    for name in entry_names():
        made = constraint_definition(entry(name).template)
        made["metadata"]["labels"] = {CONSTRAINT_LABEL: "yes", SHIPPED_LABEL: "yes"}
        yield made


def constraint_definition(template: Object) -> Raw:
    """The definition of a template's constraints, which the template owns where it has a uid.

    The template must have been read (``load_template``): its parts are taken as they are.
    """
    names = template.get("spec", "crd", "spec", "names")
    kind = str(names["kind"])
    plural = kind.lower()
    wanted: Raw = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": plural,
        "singular": plural,
        "categories": ["constraint", "constraints"],
    }
    if names.get("shortNames"):
        wanted["shortNames"] = list(names["shortNames"])
    schema = constraint_schema(template)
    metadata: Raw = {
        "name": definition_name(kind),
        "labels": {**template.labels, CONSTRAINT_LABEL: "yes"},
    }
    if template.uid:
        metadata["ownerReferences"] = [owned_by(template)]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata,
        "spec": {
            "group": GROUP,
            "names": wanted,
            "scope": "Cluster",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == VERSIONS[0],
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [dict(row) for row in COLUMNS],
                }
                for version in VERSIONS
            ],
        },
    }


def definition_name(kind: str) -> str:
    """The name of the definition of a kind of constraints."""
    return f"{kind.lower()}.{GROUP}"


def owned_by(template: Object) -> Raw:
    """The reference that makes a template the owner of what is made for it."""
    return {
        "apiVersion": f"{TEMPLATES}/v1",
        "kind": "ConstraintTemplate",
        "name": template.name,
        "uid": template.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def constraint_schema(template: Object) -> Raw:
    """The schema of a template's constraints: what all have, and their parameters."""
    base = _base()
    properties = base["properties"]["spec"]["properties"]
    parameters = _parameters(template)
    if parameters is None:
        del properties["parameters"]
    else:
        properties["parameters"] = parameters
    return base


def _parameters(template: Object) -> Any:
    validation: Mapping[str, Any] = template.get("spec", "crd", "spec", "validation") or {}
    raw = validation.get("openAPIV3Schema")
    legacy = validation.get("legacySchema")
    if legacy is None:
        legacy = template.gvk.version in LEGACY_BY_DEFAULT
    return keep_unknown(raw or {}) if legacy else raw


def _base() -> Raw:
    text = resources.files("sekisho.policy").joinpath("crds", "constraint.yaml").read_text(encoding="utf-8")
    (document,) = manifest.load(Source("crds/constraint.yaml", text))
    made = copy.deepcopy(document.value)
    assert isinstance(made, dict), "the file is an object"
    return made
