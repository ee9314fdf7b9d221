"""Manifests: YAML and JSON as Kubernetes reads them, with positions on demand."""

from sekisho.manifest.document import Document
from sekisho.manifest.files import read_paths, read_source
from sekisho.manifest.read import Read, load, parse
from sekisho.manifest.text import decode
from sekisho.manifest.write import dump, dump_all

__all__ = ["Document", "Read", "decode", "dump", "dump_all", "load", "parse", "read_paths", "read_source"]
