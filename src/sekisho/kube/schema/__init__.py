"""Schemas: Kubernetes' own of many versions, those of custom resources, and what a value makes of them."""

from sekisho.kube.schema.builtin import NEWEST, VERSIONS, Builtin, Kind, builtin
from sekisho.kube.schema.custom import NO_CUSTOM_KINDS, CustomKinds, resource_schema, with_embedded
from sekisho.kube.schema.default import default, prune
from sekisho.kube.schema.model import ABSENT, ANYTHING, Schema, has_rules
from sekisho.kube.schema.objects import validate_object
from sekisho.kube.schema.parse import keep_unknown, parse_schema, structural_problems
from sekisho.kube.schema.validate import is_valid, locator, validate

__all__ = [
    "ABSENT",
    "ANYTHING",
    "NEWEST",
    "NO_CUSTOM_KINDS",
    "VERSIONS",
    "Builtin",
    "CustomKinds",
    "Kind",
    "Schema",
    "builtin",
    "default",
    "has_rules",
    "is_valid",
    "keep_unknown",
    "locator",
    "parse_schema",
    "prune",
    "resource_schema",
    "structural_problems",
    "validate",
    "validate_object",
    "with_embedded",
]
