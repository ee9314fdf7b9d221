"""The CEL expressions of admission policies: compiled against what they may see, and evaluated."""

from sekisho.policy.expressions.compiled import (
    NOTHING_KNOWN,
    Compile,
    Compiled,
    Compiler,
    Types,
    plain_compile,
)
from sekisho.policy.expressions.evaluate import (
    Annotation,
    ConditionError,
    Decision,
    Outcome,
    Result,
    conditions_hold,
    evaluate,
)
from sekisho.policy.expressions.explain import explained
from sekisho.policy.expressions.inputs import Inputs, namespace_value, request_value
from sekisho.policy.expressions.locate import fault_path
from sekisho.policy.expressions.names import is_identifier, mentions
from sekisho.policy.expressions.written import Expression, Expressions, Named, Validation

__all__ = [
    "NOTHING_KNOWN",
    "Annotation",
    "Compile",
    "Compiled",
    "Compiler",
    "ConditionError",
    "Decision",
    "Expression",
    "Expressions",
    "Inputs",
    "Named",
    "Outcome",
    "Result",
    "Types",
    "Validation",
    "conditions_hold",
    "evaluate",
    "explained",
    "fault_path",
    "is_identifier",
    "mentions",
    "namespace_value",
    "plain_compile",
    "request_value",
]
