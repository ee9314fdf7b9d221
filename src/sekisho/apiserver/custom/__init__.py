"""CustomResourceDefinitions, and the resources that they define."""

from sekisho.apiserver.custom.definition import KEY, Definition
from sekisho.apiserver.custom.definitions import Definitions

__all__ = ["KEY", "Definition", "Definitions"]
