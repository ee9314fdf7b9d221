"""What ``sekisho serve`` was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from sekisho.cli.network import NOTHING, Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The options. ``policies`` are files and folders; without ``cert_dir`` there is no TLS."""

    policies: tuple[str, ...] = ()
    host: str = ""
    port: int = 8443
    cert_dir: str = ""
    external: Chosen = NOTHING
    cache: bool = True
