"""Files in the data folder beside the objects: keys, tokens, the kubeconfig."""

from __future__ import annotations

import os
from pathlib import Path


def private_file(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all. Raises OSError with its name."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    try:
        _write(new, text)
        new.replace(file)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(file)) from None


def _write(new: Path, text: str) -> None:
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
