"""Results of audits in files, as Gatekeeper's disk driver writes them: a file each, the newest are kept.

Whoever reads them sees ``TIME.log`` appear whole: it is written as ``TIME.txt``, locked, and then renamed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekisho.audit import codes
from sekisho.diag import Diagnostic, DiagnosticError, Limit

RUNS: Final = Limit("maxAuditResults", 5, "audits", "Gatekeeper's bound: each is as long as what it found")


class BadConfigError(ValueError):
    """A driver's configuration that cannot be used; the text is Gatekeeper's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Where results go, and how many are kept."""

    path: Path
    keep: int

    @classmethod
    def of(cls, config: Any) -> Disk:
        """The driver's configuration in a Connection. Raises BadConfigError."""
        if not isinstance(config, Mapping):
            raise BadConfigError("invalid config format, expected map[string]interface{}")
        path, keep = config.get("path"), config.get("maxAuditResults")
        if not isinstance(path, str):
            raise BadConfigError("missing or invalid 'path'")
        if not path:
            raise BadConfigError("invalid path: path cannot be empty")
        if ".." in path:
            raise BadConfigError("invalid path: path must not contain '..', dir traversal is not allowed")
        if isinstance(keep, bool) or not isinstance(keep, int | float):
            raise BadConfigError("missing or invalid 'maxAuditResults'")
        if keep < 0:
            raise BadConfigError("maxAuditResults cannot be negative")
        if RUNS.exceeded_by(int(keep)):
            raise BadConfigError(
                f"maxAuditResults cannot be greater than the maximum allowed audit runs: {RUNS.value}"
            )
        return cls(path=Path(path), keep=int(keep))

    def write(self, channel: str, id: str, rows: Iterable[Mapping[str, Any]]) -> Path:
        """Write the messages of one audit, and take the oldest files away. Raises DiagnosticError (AUD003).

        ``id`` names the audit: the time at which it began.
        """
        import orjson

        folder = self.path / channel
        part = folder / f"{id.replace(':', '_')}.txt"
        whole = part.with_suffix(".log")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                for row in rows:
                    stream.write(orjson.dumps(row) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
                part.replace(whole)
            self._forget(folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            message = f"violations could not be exported to {folder}: {error.strerror or error}"
            raise DiagnosticError(Diagnostic(code=codes.NOT_EXPORTED, message=message)) from None
        return whole

    def _forget(self, folder: Path) -> None:
        files = sorted(folder.glob("*.log"), key=lambda row: (row.stat().st_mtime_ns, row.name))
        for file in files[: max(0, len(files) - self.keep)]:
            file.unlink(missing_ok=True)
