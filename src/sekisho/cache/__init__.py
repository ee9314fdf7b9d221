"""One on-disk cache: entries by format version and content digest, bounded, safe to delete at any time."""

from sekisho.cache.store import Cache, default_root, digest_of

__all__ = ["Cache", "default_root", "digest_of"]
