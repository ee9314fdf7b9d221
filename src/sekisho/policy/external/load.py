"""From objects to Providers. What reads them imports TLS, and so only where there are some."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sekisho.kube.object import Object
from sekisho.policy.external.kinds import is_provider

if TYPE_CHECKING:
    from sekisho.policy.external.provider import Declared


def declared(objects: Iterable[Object]) -> Declared | None:
    """The providers among these objects; None where there is none, and then nothing is imported."""
    rows = [row for row in objects if is_provider(row)]
    if not rows:
        return None
    from sekisho.policy.external.provider import Declared

    return Declared.build(rows)
