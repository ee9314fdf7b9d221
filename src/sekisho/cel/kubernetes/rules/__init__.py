"""The validation rules of schemas, ``x-kubernetes-validations``."""

from sekisho.cel.kubernetes.rules.compiled import NO_RULES, Rules, compile_rules
from sekisho.cel.kubernetes.rules.custom import CustomRules, as_finding, place_in
from sekisho.cel.kubernetes.rules.validate import Broken, validate_rules
from sekisho.cel.kubernetes.rules.written import Place

__all__ = [
    "NO_RULES",
    "Broken",
    "CustomRules",
    "Place",
    "Rules",
    "as_finding",
    "compile_rules",
    "place_in",
    "validate_rules",
]
