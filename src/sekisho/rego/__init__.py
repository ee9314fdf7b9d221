"""The Rego language: parser, checks, compiler to Python, built-ins. It knows nothing of Kubernetes."""

from sekisho.rego.program import Entry, Program, Query, compile  # noqa: A004 - as re.compile

__all__ = ["Entry", "Program", "Query", "compile"]
