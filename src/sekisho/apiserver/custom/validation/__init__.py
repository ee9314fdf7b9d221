"""What is wrong with a CustomResourceDefinition, in kube-apiserver's words."""

from sekisho.apiserver.custom.validation.definition import definition_causes

__all__ = ["definition_causes"]
