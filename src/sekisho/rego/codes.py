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

# --- REG7xx: built-in functions ---------------------------------------------------------------------------

GATED = register("REG701", "a built-in that the capability set does not allow", alias="eval_builtin_error")
