"""Conflicts of server-side apply as errors: who owns what is to be changed."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.apiserver import status
from sekisho.apiserver.fields.entries import UPDATE, Manager
from sekisho.apiserver.fields.sets import Path, text
from sekisho.apiserver.status import ApiError, Cause
from sekisho.lang.golang.gotext import quote


def conflict_error(rows: Sequence[tuple[Manager, Path]]) -> ApiError:
    """The error (409) that lists them, managers in order."""
    causes = [
        Cause(
            reason="FieldManagerConflict",
            message=f"conflict with {manager_text(manager)}",
            field=text(path),
        )
        for manager, path in rows
    ]
    return status.apply_conflict(causes, _message(rows))


def _message(rows: Sequence[tuple[Manager, Path]]) -> str:
    if len(rows) == 1:
        manager, path = rows[0]
        return f"Apply failed with 1 conflict: conflict with {manager_text(manager)}: {text(path)}"
    by_manager: dict[Manager, list[Path]] = {}
    for manager, path in rows:
        by_manager.setdefault(manager, []).append(path)
    lines: list[str] = []
    for manager, paths in by_manager.items():
        lines.append(f"conflicts with {manager_text(manager)}:")
        lines += (f"- {text(path)}" for path in paths)
    return f"Apply failed with {len(rows)} conflicts: " + "\n".join(lines)


def manager_text(manager: Manager) -> str:
    """A manager as messages name it."""
    told = quote(manager.name)
    if manager.subresource:
        told += f" with subresource {quote(manager.subresource)}"
    return f"{told} using {manager.api_version}" if manager.operation == UPDATE else told
