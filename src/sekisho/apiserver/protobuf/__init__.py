"""Requests in protobuf: the wire format of Kubernetes' own Go clients."""

from sekisho.apiserver.protobuf.envelope import read_object

__all__ = ["read_object"]
