"""sekisho: one checkpoint for a Kubernetes cluster."""

__version__ = "0.1.0.dev0"
