"""Importing the libraries of a server before they are needed."""

from __future__ import annotations


def import_ahead() -> None:
    """Import what a server with TLS needs, for a thread of its own while everything else is prepared.

    Most of the time goes into native code that other threads need not wait for: aiohttp reads the
    certificates of the system twice.
    """
    import aiohttp.web  # noqa: F401 - imported for those who come later
    import cryptography.x509  # noqa: F401
