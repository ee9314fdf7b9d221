"""The rules of built-in kinds beyond their schemas, in kube-apiserver's words."""

from sekisho.apiserver.validation.rules import broken

__all__ = ["broken"]
