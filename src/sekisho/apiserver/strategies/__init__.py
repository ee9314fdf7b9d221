"""What is special about the built-in kinds, and the rules of metadata that all kinds share."""

from sekisho.apiserver.strategies.kinds import STRATEGIES, qos_class

__all__ = ["STRATEGIES", "qos_class"]
