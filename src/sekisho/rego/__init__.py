"""The Rego language: parser, checks, compiler to Python, built-ins. It knows nothing of Kubernetes."""

from sekisho.rego.capabilities import Capabilities
from sekisho.rego.nodes import Dialect
from sekisho.rego.parser import parse_module
from sekisho.rego.program import QUERY, Entry, Program, Query, cached, compile, program_cache
from sekisho.rego.state import Options
from sekisho.rego.trail import Read

__all__ = [
    "QUERY",
    "Capabilities",
    "Dialect",
    "Entry",
    "Options",
    "Program",
    "Query",
    "Read",
    "cached",
    "compile",
    "parse_module",
    "program_cache",
]
