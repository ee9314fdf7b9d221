"""A node for the embedded cluster: its Pods run in sandboxes."""

from sekisho.node.node import Node
from sekisho.node.settings import NodeSettings

__all__ = ["Node", "NodeSettings"]
