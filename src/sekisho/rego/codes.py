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

EMPTY_QUERY = register("REG122", "the query is empty", alias="rego_compile_error")
UNFORMATTED = register("REG123", "formatting would change the module", alias="format_error")

# --- REG2xx: names and safety -----------------------------------------------------------------------------

_COMPILE = "rego_compile_error"
_TYPE = "rego_type_error"

IMPORT_SHADOWS = register("REG200", "two imports of one name", alias=_COMPILE)
ROOT_SHADOWED = register("REG201", "a name that hides input or data", alias=_COMPILE)
UNDEFINED_FUNCTION = register("REG202", "a call of a function that does not exist", alias=_TYPE)
UNSAFE_VAR = register("REG203", "a variable that nothing binds", alias="rego_unsafe_var_error")
REDECLARED = register("REG204", "a variable declared twice, or used before its declaration", alias=_COMPILE)
UNUSED = register("REG205", "a variable, argument or import that is not used", alias=_COMPILE)
ARITY = register("REG206", "a call with the wrong number of operands", alias=_TYPE)
CONFLICT = register("REG207", "rules that cannot stand together", alias=_TYPE)
DATA_CONFLICT = register("REG208", "a rule where there is data", alias=_COMPILE)
WITH_TARGET = register("REG209", "with replaces what it cannot", alias=_COMPILE)
UNDECLARED = register("REG210", "a variable in print or a template string that nothing binds", alias=_COMPILE)
VOID = register("REG211", "a call that has no value, used as one", alias=_TYPE)
DEPRECATED = register("REG212", "a built-in that v1 has dropped", alias=_TYPE)
DENIED = register("REG213", "a built-in that is not allowed here", alias=_TYPE)
FUNCTION_SHADOWED = register("REG214", "a variable hides the function that is called", alias=_COMPILE)
ASSIGNMENT = register("REG215", "this cannot be assigned to", alias=_COMPILE)
ARGUMENT = register("REG216", "this cannot be an argument of a rule", alias=_COMPILE)
WITH_TARGET_UNKNOWN = register("REG217", "with names nothing that could be replaced", alias=_TYPE)
RELATION = register("REG218", "a relation in a template string", alias=_COMPILE)
METADATA_TWICE = register("REG219", "two metadata blocks for one thing", alias=_TYPE)
TOO_MANY = register("REG299", "more errors than are told", alias=_COMPILE)

# --- REG3xx: types ----------------------------------------------------------------------------------------

MATCH = register("REG300", "two sides that can never be equal", alias=_TYPE)
UNDEFINED_REF = register("REG301", "a reference to what cannot exist", alias=_TYPE)
OPERANDS = register("REG302", "operands of types that the function does not take", alias=_TYPE)
NOT_CALLED = register("REG303", "a function used without being called", alias=_TYPE)

# --- REG40x: recursion ------------------------------------------------------------------------------------

RECURSION = register("REG400", "a rule that depends on itself", alias="rego_recursion_error")

# --- REG5xx: evaluation -----------------------------------------------------------------------------------

UNSAFE = register("REG500", "a variable has no value where it is used", alias="rego_unsafe_var_error")
EVAL_CONFLICT = register("REG510", "several values where one is due", alias="eval_conflict_error")
EVAL_BUILTIN = register("REG511", "a built-in function failed", alias="eval_builtin_error")
EVAL_TYPE = register("REG512", "a built-in was given a value of the wrong type", alias="eval_type_error")
EVAL_TIME = register("REG520", "the evaluation took too long", alias="eval_cancel_error")
EVAL_LIMIT = register("REG521", "the evaluation used too much", alias="eval_cancel_error")
EVAL_DEPTH = register("REG522", "the evaluation is nested too deeply", alias="eval_cancel_error")
NO_SUCH_RULE = register("REG530", "there is no such rule")

# --- REG7xx: built-in functions ---------------------------------------------------------------------------

GATED = register("REG701", "a built-in that the capability set does not allow", alias="eval_builtin_error")
