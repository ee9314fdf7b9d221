"""OpenAPI: what the server serves, described for clients."""

from sekisho.apiserver.openapi.document import Documents
from sekisho.apiserver.openapi.second import second_version

__all__ = ["Documents", "second_version"]
