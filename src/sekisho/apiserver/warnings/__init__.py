"""What kube-apiserver allows and warns of."""

from sekisho.apiserver.warnings.rules import warnings_of

__all__ = ["warnings_of"]
