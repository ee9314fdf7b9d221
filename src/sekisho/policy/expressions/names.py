"""Names that expressions of policies may have and use."""

from __future__ import annotations

import re
from typing import Final

from sekisho.cel.kubernetes.schemas.escape import RESERVED

OBJECT: Final = "object"
OLD_OBJECT: Final = "oldObject"
PARAMS: Final = "params"
REQUEST: Final = "request"
NAMESPACE: Final = "namespaceObject"
AUTHORIZER: Final = "authorizer"
RESOURCE_AUTHORIZER: Final = "authorizer.requestResource"
VARIABLES: Final = "variables"

_IDENTIFIER: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")


def is_identifier(name: str) -> bool:
    """Whether a variable may be called so."""
    return _IDENTIFIER.fullmatch(name) is not None and name not in RESERVED


def mentions(expression: str, name: str) -> bool:
    """Whether an expression may use a variable: its name stands in it, perhaps in a text or as a field."""
    return re.search(rf"\b{re.escape(name)}\b", expression) is not None
