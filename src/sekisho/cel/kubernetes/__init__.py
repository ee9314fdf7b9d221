"""Kubernetes' libraries of CEL, and the environment of each of its versions."""
