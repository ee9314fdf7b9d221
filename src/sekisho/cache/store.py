"""The cache itself: bytes by digest.

An entry is a file ``<kind>/<format version>-<digest>``: a check over key and payload, then the payload. What
is truncated, changed, renamed or planted fails the check and is a miss. Whoever can write the folder could
write a fitting check too, which is why the folder must be ours alone (``folder``). Nothing here unpickles.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Final

from sekisho.cache.codes import NOT_TRUSTED, NOT_USABLE
from sekisho.cache.folder import Folder, NotTrustedError
from sekisho.diag import Diagnostic, Level

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._]{0,63}\Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{32,128}\Z")
_CHECK_BYTES: Final = 32
_KEEP: Final = 0.8
"""Eviction goes down to this share of the bound, so that it does not run at every write."""


def default_root(environ: Mapping[str, str] = os.environ) -> str | None:
    """Where the cache is: SEKISHO_CACHE, else ``sekisho`` in XDG_CACHE_HOME, else ``~/.cache/sekisho``.

    None if SEKISHO_CACHE is set and empty (no cache is wanted) or there is no home.
    """
    if (chosen := environ.get("SEKISHO_CACHE")) is not None:
        return os.path.abspath(chosen) if chosen else None  # noqa: PTH100 - pathlib costs start-up time
    base = environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):  # the XDG specification: a relative path is ignored
        home = environ.get("HOME", "")
        if not home.startswith("/"):
            return None
        base = f"{home.rstrip('/')}/.cache"
    return f"{base.rstrip('/')}/sekisho"


def digest_of(*parts: bytes) -> str:
    """The digest of several byte strings, which are told apart: ``(a, bc)`` is not ``(ab, c)``."""
    state = hashlib.sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "big"))
        state.update(part)
    return state.hexdigest()


class Cache:
    """Entries of one kind (``rego``) and format version; the kind has at most ``max_bytes`` in all versions.

    Nothing here raises: what cannot be read is a miss, what cannot be written is not kept. ``problem`` is the
    one warning about it. ``root`` None means that there is no cache. Instances may be shared by threads.
    """

    def __init__(self, root: str | None, *, kind: str, format_version: str, max_bytes: int) -> None:
        assert _NAME.match(kind), f"malformed kind {kind!r}"
        assert _NAME.match(format_version), f"malformed format version {format_version!r}"
        self._root = root
        self._kind = kind
        self._version = format_version
        self._max_bytes = max_bytes
        self._folder: Folder | None = None
        self._used: int | None = None
        self.problem: Diagnostic | None = None

    def get(self, digest: str) -> bytes | None:
        """The payload kept under this digest (lower-case hex), None if there is none that is whole."""
        folder = self._open()
        if folder is None:
            return None
        name = self._name(digest)
        content = folder.read(name, self._max_bytes)
        if content is None:
            return None
        payload = content[_CHECK_BYTES:]
        if content[:_CHECK_BYTES] != _check(name, payload):
            folder.remove(name)
            return None
        return payload

    def put(self, digest: str, payload: bytes) -> None:
        """Keep a payload, or not; the oldest entries go when there are too many bytes."""
        size = _CHECK_BYTES + len(payload)
        if size > self._max_bytes:
            return
        name = self._name(digest)
        content = _check(name, payload) + payload
        for attempt in (1, 2):
            folder = self._open()
            if folder is None:
                return
            try:
                folder.write(name, content)
                break
            except FileNotFoundError as error:  # the folder was deleted while we had it open
                self._folder = self._used = None
                if attempt == 2:
                    self._give_up(error)
            except OSError as error:
                self._give_up(error)
        if self._folder is not None:
            self._bound(self._folder, size)

    def _name(self, digest: str) -> str:
        assert _DIGEST.match(digest), "a digest is 32 to 128 lower-case hex digits"
        return f"{self._version}-{digest}"

    def _open(self) -> Folder | None:
        if self._folder is None and self._root is not None:
            try:
                self._folder = Folder(self._root).child(self._kind)
            except NotTrustedError as error:
                help = "delete the folder, or set SEKISHO_CACHE to one that belongs to you with mode 0700"
                self._refuse(
                    Diagnostic(
                        code=NOT_TRUSTED,
                        level=Level.WARNING,
                        message=f"the cache is not used: {error}",
                        help=help,
                    )
                )
            except OSError as error:
                self._give_up(error)
        return self._folder

    def _give_up(self, error: OSError) -> None:
        reason = error.strerror or type(error).__name__
        self._refuse(
            Diagnostic(
                code=NOT_USABLE,
                level=Level.WARNING,
                message=f"the cache is not used: {self._root}: {reason}",
                help="set SEKISHO_CACHE to a folder that can be written, or to nothing to have no cache",
            )
        )

    def _refuse(self, problem: Diagnostic) -> None:
        self.problem = self.problem or problem
        self._root = self._folder = None

    def _bound(self, folder: Folder, added: int) -> None:
        if self._used is not None:
            self._used += added
            if self._used <= self._max_bytes:
                return
        try:
            entries = sorted(folder.entries())
        except OSError:
            return
        used = sum(size for _, size, _ in entries)
        if used > self._max_bytes:
            for _, size, name in entries:
                if used <= self._max_bytes * _KEEP:
                    break
                folder.remove(name)
                used -= size
        self._used = used


def _check(name: str, payload: bytes) -> bytes:
    state = hashlib.sha256(name.encode())
    state.update(b"\0")
    state.update(payload)
    return state.digest()
