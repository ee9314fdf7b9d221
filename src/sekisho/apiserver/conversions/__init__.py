"""Built-in kinds that are served in several versions, or under several groups."""

from sekisho.apiserver.conversions.families import HOMES, conversion_of

__all__ = ["HOMES", "conversion_of"]
