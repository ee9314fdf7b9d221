"""What is special about CustomResourceDefinitions themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sekisho.apiserver.custom.validation import definition_causes
from sekisho.apiserver.status import Cause
from sekisho.apiserver.types import Plain, Raw


class CustomResourceDefinitions(Plain):
    """Their status is the server's; the version in which objects are stored is remembered for good."""

    def prepare_create(self, new: dict[str, Any]) -> None:
        """An empty status but for the stored version."""
        new["status"] = {"storedVersions": _storage(new)}

    def prepare_update(self, new: dict[str, Any], old: Raw) -> None:
        """A new storage version is added to those that were."""
        status = dict(old.get("status") or {})
        stored = list(status.get("storedVersions") or ())
        status["storedVersions"] = stored + [name for name in _storage(new) if name not in stored]
        new["status"] = status

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:
        """The rules of apiextensions."""
        return definition_causes(new, old)


def _storage(raw: Raw) -> list[str]:
    versions = (raw.get("spec") or {}).get("versions") or ()
    return [row["name"] for row in versions if isinstance(row, dict) and row.get("storage") is True][:1]
