"""The codes of Rego's findings. Each block of a hundred belongs to one stage; aliases are OPA's own codes."""

from sekisho.diag import register

# --- REG1xx: reading a source -----------------------------------------------------------------------------

PARSE = register("REG100", "the Rego source cannot be parsed", alias="rego_parse_error")
LEXICAL = register("REG101", "a character or literal that Rego does not have", alias="rego_parse_error")
EMPTY = register("REG102", "the module is empty", alias="rego_parse_error")
PACKAGE = register("REG103", "the package statement is missing or misplaced", alias="rego_parse_error")
IMPORT = register("REG104", "an import that Rego does not have", alias="rego_parse_error")
RULE_HEAD = register("REG105", "this cannot be the head of a rule", alias="rego_parse_error")
NEEDS_IF = register("REG106", "a rule body needs the keyword if", alias="rego_parse_error")
NEEDS_CONTAINS = register("REG107", "a partial set needs the keyword contains", alias="rego_parse_error")
DEFAULT = register("REG108", "an illegal default rule", alias="rego_parse_error")
ELSE = register("REG109", "else where it cannot be", alias="rego_parse_error")
TEMPLATE_STRING = register("REG110", "an illegal template string", alias="rego_parse_error")
ANNOTATION = register("REG111", "an illegal metadata block", alias="rego_parse_error")
TOO_LARGE = register("REG120", "the Rego source is too large", alias="rego_parse_error")
TOO_DEEP = register("REG121", "the Rego source is nested too deeply", alias="rego_parse_error")

# --- REG5xx: evaluation -----------------------------------------------------------------------------------

UNSAFE = register("REG500", "a variable has no value where it is used", alias="rego_unsafe_var_error")
EVAL_CONFLICT = register("REG510", "several values where one is due", alias="eval_conflict_error")
EVAL_BUILTIN = register("REG511", "a built-in function failed", alias="eval_builtin_error")
EVAL_TYPE = register("REG512", "a built-in was given a value of the wrong type", alias="eval_type_error")
EVAL_MERGE = register("REG513", "a with modifier cannot replace this", alias="eval_with_merge_error")
EVAL_TIME = register("REG520", "the evaluation took too long", alias="eval_cancel_error")
EVAL_LIMIT = register("REG521", "the evaluation used too much", alias="eval_cancel_error")
EVAL_DEPTH = register("REG522", "the evaluation is nested too deeply", alias="eval_cancel_error")
NO_SUCH_RULE = register("REG530", "there is no such rule")

# --- REG7xx: built-in functions ---------------------------------------------------------------------------

GATED = register("REG701", "a built-in that the capability set does not allow", alias="eval_builtin_error")
