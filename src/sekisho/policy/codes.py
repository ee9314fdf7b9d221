"""The codes of this package, POL001-POL199."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, register

# Templates: what keeps a ConstraintTemplate from being used.
BAD_TEMPLATE: Final = register("POL001", "a ConstraintTemplate is malformed")
TEMPLATE_NAME: Final = register("POL002", "a ConstraintTemplate's name is not its kind in lower case")
TARGETS: Final = register("POL003", "a ConstraintTemplate must declare exactly one target")
UNKNOWN_TARGET: Final = register("POL004", "a ConstraintTemplate's target is unknown")
NO_CODE: Final = register("POL005", "a ConstraintTemplate has no code")
NO_ENGINE: Final = register("POL006", "a ConstraintTemplate's only engine is one that is not here")
SAME_KIND: Final = register("POL007", "two ConstraintTemplates define the same kind")

# The Rego of templates, beyond what the compiler checks.
NO_VIOLATION: Final = register("POL010", "a template has no violation rule", alias="rego_compile_error")
VIOLATION_SHAPE: Final = register("POL011", "violation must be a set of objects with msg")
BAD_IMPORT: Final = register("POL012", "a template may not import this", alias="invalid import")
BAD_DATA: Final = register("POL013", "a template may not refer to this data", alias="invalid data references")
BAD_LIB: Final = register("POL014", "a library's package must be below lib", alias="invalid lib prefix")
INPUT_TYPO: Final = register("POL015", "a template reads an input field that never exists")

# Constraints.
NO_TEMPLATE: Final = register("POL020", "there is no ConstraintTemplate for a constraint")
BAD_CONSTRAINT: Final = register("POL021", "a constraint is malformed")
BAD_ACTION: Final = register("POL022", "an enforcement action is unknown")
BAD_MATCH: Final = register("POL023", "a constraint's match is malformed")
MATCH_TYPO: Final = register("POL024", "a constraint's match has a value that means something else")
SAME_CONSTRAINT: Final = register("POL025", "two constraints have the same kind and name")
TEMPLATE_FAILED: Final = register("POL026", "a constraint's ConstraintTemplate could not be used")

# Mutators.
BAD_MUTATOR: Final = register("POL030", "a mutator is malformed")
BAD_LOCATION: Final = register("POL031", "a mutator's location is malformed")
FORBIDDEN_LOCATION: Final = register("POL032", "a mutator may not change what its location names")
BAD_PATH_TEST: Final = register("POL033", "a mutator's path test cannot be used")
BAD_ASSIGN: Final = register("POL034", "what a mutator is to set cannot be set")
BAD_APPLY_TO: Final = register("POL035", "a mutator does not say which kinds it is about")
BAD_IMAGE: Final = register("POL036", "the parts of an image that a mutator is to set are malformed")
CONFLICT: Final = register(
    "POL037", "mutators imply different shapes of one kind", alias="ErrConflictingSchema"
)
SAME_MUTATOR: Final = register("POL038", "two mutators have the same kind and name")
TOO_MANY_MUTATORS: Final = register("POL039", "mutators are about too many kinds")

# Mutations.
NOT_CONVERGING: Final = register("POL040", "mutation does not converge", alias="not converging", finding=True)
MUTATION_FAILED: Final = register("POL041", "a mutator could not be applied", finding=True)
MUTATION_UNMATCHED: Final = register("POL042", "a mutator could not be matched", finding=True)
PROVIDER_FAILED: Final = register("POL043", "an external data provider gave no value", finding=True)
MUTATION_TOO_LONG: Final = register("POL044", "mutation takes too long", finding=True)

BAD_PROVIDER_FILE: Final = register("POL046", "a file with external data is malformed")

# Expansion.
BAD_EXPANSION: Final = register("POL060", "an ExpansionTemplate is malformed")
EXPANSION_CYCLE: Final = register("POL061", "ExpansionTemplates expand what they generate")
SAME_EXPANSION: Final = register("POL062", "two ExpansionTemplates have the same name")
NO_SOURCE: Final = register("POL063", "an object has no part that an ExpansionTemplate names", finding=True)
EXPANSION_LIMIT: Final = register("POL064", "an object expands too deeply, or into too much", finding=True)

# Suites of tests, and gator's other verbs.
BAD_CASE: Final = register("POL080", "a test or a case of a suite cannot be run", finding=True)
SUITE_FILE: Final = register("POL081", "a file that a suite names cannot be used", finding=True)
SUITE_FIELD: Final = register("POL082", "a suite has a field that nothing reads")
BAD_FILTER: Final = register("POL083", "the filter of tests is malformed")
SUITE_POLICY: Final = register("POL084", "a template or constraint of a suite cannot be used", finding=True)
ASSERTION: Final = register("POL085", "an assertion of a suite does not hold", finding=True)
SHOULD_BE_INVALID: Final = register("POL086", "a constraint that should be invalid is not", finding=True)
NO_SUITE: Final = register("POL087", "there are no suites in the input")
NOT_SYNCED: Final = register("POL090", "nothing syncs what a template requires", finding=True)
BAD_SYNC_ANNOTATION: Final = register("POL091", "a template's annotation of what it requires is malformed")
SYNC_DIFFERS: Final = register("POL092", "a template's annotation and its code differ", finding=True)
BAD_SYNC: Final = register("POL093", "what is to be synced cannot be told")
NOTHING_TO_MEASURE: Final = register("POL095", "there is nothing to measure")
BAD_BASELINE: Final = register("POL097", "kept results of a benchmark cannot be compared with")

# Reviews.
VIOLATION: Final = register("POL100", "an object violates a constraint", finding=True)
EVALUATION: Final = register("POL101", "a constraint could not be evaluated", finding=True)
AUTOREJECT: Final = register("POL102", "a constraint could not be matched", finding=True, alias="autoreject")
MAY_DIFFER: Final = register("POL110", "a template's verdict may differ at admission", finding=True)

# External data.
BAD_PROVIDER: Final = register("POL120", "a Provider is malformed")
SAME_PROVIDER: Final = register("POL121", "two Providers have the same name")
NOT_ASKED: Final = register("POL122", "an external data provider could not be asked", blame=Blame.ENVIRONMENT)
NO_ANSWER: Final = register("POL123", "an external data provider gave no answer", blame=Blame.ENVIRONMENT)
BAD_ANSWER: Final = register(
    "POL124", "the answer of an external data provider cannot be used", blame=Blame.ENVIRONMENT
)
ODD_ANSWER: Final = register(
    "POL125", "an external data provider answers other than it was asked", blame=Blame.ENVIRONMENT
)
TOO_MANY_KEYS: Final = register("POL126", "external data providers are asked too much")

# What is allowed but switches a policy off, and what governs all policies.
NO_SUCH_KIND: Final = register("POL140", "a policy is about a kind that does not exist")
MATCHES_NOTHING: Final = register("POL141", "a part of a match matches nothing")
BAD_CONFIG: Final = register("POL142", "a Config or a SyncSet is malformed")
CONFIG_IGNORED: Final = register("POL143", "a part of a Config does nothing")
READS_UNSYNCED: Final = register("POL144", "a template reads objects that nothing syncs")
