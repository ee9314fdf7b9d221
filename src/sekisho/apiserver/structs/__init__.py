"""Built-in objects as Go's structs hold and write them: zero values that go, and zero values that stay."""

from sekisho.apiserver.structs.structs import compact, compact_metadata, default_of, filled, zero_of

__all__ = ["compact", "compact_metadata", "default_of", "filled", "zero_of"]
