"""Logs, exec, attach and port-forward: from requests to a PodRuntime."""

from sekisho.apiserver.streaming.options import connect_options, with_options
from sekisho.apiserver.streaming.streaming import Streaming

__all__ = ["Streaming", "connect_options", "with_options"]
