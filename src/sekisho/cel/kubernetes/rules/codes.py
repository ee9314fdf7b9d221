"""The codes of this package, KUB200-KUB219."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register

BAD_RULE: Final = register("KUB200", "a validation rule of a schema is malformed")
BROKEN: Final = register("KUB201", "an object breaks a validation rule of its schema", finding=True)
FAILED: Final = register("KUB202", "a validation rule could not be evaluated", finding=True)
NOT_CHECKED: Final = register("KUB203", "validation rules were not checked", finding=True)
