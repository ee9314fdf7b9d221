"""Templates whose code is CEL: the engine K8sNativeValidation."""

from sekisho.policy.native.judge import Native, Violation
from sekisho.policy.native.source import ENGINE, FAIL, MADE, RESERVED_PREFIX, Source, read_source

__all__ = ["ENGINE", "FAIL", "MADE", "RESERVED_PREFIX", "Native", "Source", "Violation", "read_source"]
