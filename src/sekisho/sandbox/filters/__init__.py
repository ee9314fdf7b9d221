"""The filters as they are loaded: made from the table beforehand, since making them costs more than a start.

tools/make_filters.py        writes the files of this folder; a test compares them with the table
"""

from __future__ import annotations

import os

_FOLDER = os.path.dirname(__file__)


def name_of(profile: str = "default", options: frozenset[str] = frozenset()) -> str:
    """The name of a filter: the profile, and the options in alphabetical order."""
    return "+".join((profile, *sorted(options)))


def load(profile: str = "default", options: frozenset[str] = frozenset()) -> bytes:
    """A workload's filter, an array of ``struct sock_filter``. Unknown names raise FileNotFoundError."""
    return _read(f"{name_of(profile, options)}.bpf")


def load_supervisor() -> bytes:
    """The Sentry's own filter."""
    return _read("sentry.bpf")


def load_handlers(profile: str = "default", options: frozenset[str] = frozenset()) -> dict[int, str]:
    """Which handler (``family.function``) answers which number under that filter."""
    rows = _read(f"{name_of(profile, options)}.handlers").decode().split()
    return dict(zip(map(int, rows[::2]), rows[1::2], strict=True))


def load_connector() -> bytes:
    """The filter of the process that makes connections."""
    return _read("connector.bpf")


def _read(name: str) -> bytes:
    with open(f"{_FOLDER}/{name}", "rb") as file:
        return file.read()
