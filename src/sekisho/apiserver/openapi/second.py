"""OpenAPI v2 in protobuf, without content.

kubectl reads it for the fields of patches where v3 does not say them, and refuses to go on without one; it is
content with a document that describes nothing. Field numbers are those of ``openapiv2/OpenAPIv2.proto`` of
google/gnostic-models.
"""

from __future__ import annotations

from typing import Final

CONTENT_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""With a dot where clients write ``@`` in Accept: an ``@`` is no letter of a media type."""

_SWAGGER, _INFO, _PATHS, _DEFINITIONS = 1, 2, 8, 9
_TITLE, _VERSION = 1, 2


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes; both the number and the length fit into one byte here."""
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def second_version() -> bytes:
    """The document."""
    info = _field(_TITLE, b"Kubernetes") + _field(_VERSION, b"v1.33.0")
    return _field(_SWAGGER, b"2.0") + _field(_INFO, info) + _field(_PATHS, b"") + _field(_DEFINITIONS, b"")
