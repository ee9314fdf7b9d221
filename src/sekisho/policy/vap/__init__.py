"""ValidatingAdmissionPolicies, their bindings and params, judged as the API server judges by them."""

from sekisho.policy.vap.binding import Binding, is_binding, load_binding
from sekisho.policy.vap.judge import Authorized, Authorizers, Judge
from sekisho.policy.vap.load import NO_POLICIES, Policies, Policy
from sekisho.policy.vap.policy import is_policy, read_policy
from sekisho.policy.vap.typecheck import expression_warnings, type_checking
from sekisho.policy.vap.webhooks import MatchConditions

__all__ = [
    "NO_POLICIES",
    "Authorized",
    "Authorizers",
    "Binding",
    "Judge",
    "MatchConditions",
    "Policies",
    "Policy",
    "expression_warnings",
    "is_binding",
    "is_policy",
    "load_binding",
    "read_policy",
    "type_checking",
]
