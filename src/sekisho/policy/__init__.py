"""Gatekeeper's policies: templates, constraints, mutators, expansion, and the engine that judges by them."""

from sekisho.policy.chain import steps
from sekisho.policy.constraint import AUDIT, GATOR, WEBHOOK, Constraint, is_constraint
from sekisho.policy.engine import Ask, Engine, may_differ
from sekisho.policy.loading import is_policy
from sekisho.policy.parts import digest_of, parts
from sekisho.policy.template import Template, is_template

__all__ = [
    "AUDIT",
    "GATOR",
    "WEBHOOK",
    "Ask",
    "Constraint",
    "Engine",
    "Template",
    "digest_of",
    "is_constraint",
    "is_policy",
    "is_template",
    "may_differ",
    "parts",
    "steps",
]
