"""The codes of this package: KUB100 to KUB199."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register

UNKNOWN_FIELD: Final = register("KUB100", "the schema has no such field", finding=True)
WRONG_TYPE: Final = register(
    "KUB101", "a field has the wrong type", alias="FieldValueTypeInvalid", finding=True
)
MISSING: Final = register("KUB102", "a required field is missing", alias="FieldValueRequired", finding=True)
UNSUPPORTED: Final = register(
    "KUB103", "a field's value is none of those allowed", alias="FieldValueNotSupported", finding=True
)
BAD_VALUE: Final = register(
    "KUB104", "a field's value has the wrong form", alias="FieldValueInvalid", finding=True
)
OUT_OF_BOUNDS: Final = register(
    "KUB105", "a value is too large, too small, too long or too short", finding=True
)
DUPLICATE: Final = register("KUB106", "a list repeats an item", alias="FieldValueDuplicate", finding=True)
NO_ALTERNATIVE: Final = register("KUB107", "a value does not match a combination of schemas", finding=True)
TOO_DEEP: Final = register("KUB108", "an object is nested too deeply to be judged")

NOT_SERVED: Final = register("KUB110", "this version of Kubernetes does not serve the kind", finding=True)
UNKNOWN_KIND: Final = register("KUB111", "no schema is known for the kind", finding=True)
UNKNOWN_VERSION: Final = register("KUB112", "no schemas are known for this version of Kubernetes")

BAD_SCHEMA: Final = register("KUB120", "a schema is malformed")
NOT_STRUCTURAL: Final = register("KUB121", "a schema is not structural", finding=True)
