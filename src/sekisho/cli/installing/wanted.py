"""What is asked of an installation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from sekisho.admission.registration import Registered

IMAGE: Final = "sekisho:latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is installed; the options that matter of those of Gatekeeper's chart.

    ``exempt`` are Namespaces that may have the ignore label.
    """

    namespace: str = "sekisho-system"
    image: str = IMAGE
    replicas: int = 3
    exempt: tuple[str, ...] = ()
    log_denies: bool = False
    registered: Registered = field(default_factory=Registered)

    def placed(self) -> Wanted:
        """The same, with the webhooks in its own Namespace."""
        return replace(self, registered=replace(self.registered, namespace=self.namespace))
