"""Manifests: YAML and JSON as Kubernetes reads them, with positions on demand."""

from sekisho.manifest.document import Document
from sekisho.manifest.read import Read, decode, load, parse, read_paths, read_source

__all__ = ["Document", "Read", "decode", "load", "parse", "read_paths", "read_source"]
