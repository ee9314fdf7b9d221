"""The codes of reading files for ``sekisho rego``."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register

NOT_AN_OBJECT: Final = register("CLI101", "a data document must be an object")
MERGE: Final = register("CLI102", "two files define one value of data")
UNKNOWN_TYPE: Final = register("CLI103", "a file is neither Rego nor data")
NOT_JSON: Final = register("CLI104", "a .json file holds no JSON")
MORE_DOCUMENTS: Final = register("CLI105", "only the first document of a file is read")
CAPABILITIES: Final = register("CLI106", "the capabilities file is wrong")
BUNDLE: Final = register("CLI107", "a bundle is not a directory")
REWRITE: Final = register("CLI108", "a file cannot be rewritten")
