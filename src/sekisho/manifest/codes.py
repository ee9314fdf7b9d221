"""The codes of this package, SRC001-SRC099."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, register

SYNTAX: Final = register("SRC001", "the YAML or JSON is malformed")
ENCODING: Final = register("SRC002", "the text is not UTF-8")
BINARY: Final = register("SRC003", "the file is binary")
TOO_LARGE: Final = register("SRC004", "the input is larger than the limit")
TOO_DEEP: Final = register("SRC005", "the input is nested more deeply than the limit")
EXPANSION: Final = register("SRC006", "aliases stand for more than the limit")
DUPLICATE_KEY: Final = register("SRC007", "a key stands twice in one mapping", finding=True)
BAD_KEY: Final = register("SRC008", "a mapping's key cannot be the key of a JSON object")
NOT_JSON: Final = register("SRC009", "a value cannot be written as JSON")
BAD_TAG: Final = register("SRC010", "a YAML tag is unknown or does not fit its value")
TAB: Final = register("SRC011", "a tab indents YAML")
CONTROL: Final = register("SRC012", "the text has a control character")
BAD_ALIAS: Final = register("SRC013", "an alias names no anchor, or one that contains it")
BAD_MERGE: Final = register("SRC014", "a merge key has a value that is no mapping")
MERGE_ORDER: Final = register("SRC015", "a merge key overrides a key before it", finding=True)

NOT_FOUND: Final = register("SRC020", "there is no such file or directory")
UNREADABLE: Final = register("SRC021", "a file cannot be read", blame=Blame.ENVIRONMENT)
NOT_A_FILE: Final = register("SRC022", "a path is neither a file nor a directory")
NOTHING: Final = register("SRC023", "a directory holds no manifests")
