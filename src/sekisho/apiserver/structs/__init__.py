"""Built-in objects as Go's structs hold and write them: zero values that go, and zero values that stay."""

from sekisho.apiserver.structs.structs import compact, filled, zero_of

__all__ = ["compact", "filled", "zero_of"]
