"""CEL types and values of objects whose OpenAPI schema is known."""

from sekisho.cel.kubernetes.schemas.declare import Declared, declare
from sekisho.cel.kubernetes.schemas.escape import RESERVED, escape

__all__ = ["RESERVED", "Declared", "declare", "escape"]
