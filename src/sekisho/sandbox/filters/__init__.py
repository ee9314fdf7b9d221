"""The filters as they are loaded: made from the table beforehand, since making them costs more than a start.

tools/make_filters.py        writes the files of this folder; a test compares them with the table
"""

from __future__ import annotations

import os
from _struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from sekisho.sandbox.spec import SandboxSpec

_FOLDER = os.path.dirname(__file__)


def name_of(profile: str = "default", options: frozenset[str] = frozenset()) -> str:
    """The name of a filter: the profile, and the options in alphabetical order."""
    return "+".join((profile, *sorted(options)))


def load(profile: str = "default", options: frozenset[str] = frozenset()) -> bytes:
    """A workload's filter, an array of ``struct sock_filter``. Unknown names raise FileNotFoundError."""
    return _read(f"{name_of(profile, options)}.bpf")


def load_denials(profile: str = "default", options: frozenset[str] = frozenset()) -> dict[int, int]:
    """Which calls that filter denies by itself, and with which errno; 0 is success without an effect."""
    rows = _read(f"{name_of(profile, options)}.denials").split()
    return dict(zip(map(int, rows[::2]), map(int, rows[1::2]), strict=True))


def load_names() -> dict[int, str]:
    """The names of all calls."""
    rows = _read("calls.names").decode().split()
    return dict(zip(map(int, rows[::2]), rows[1::2], strict=True))


def of(spec: SandboxSpec) -> bytes:
    """The filter of a sandbox. With ``reports`` the Sentry is asked for what the filter would deny by itself,
    so that it can tell: it gives the same answers.
    """
    program = load(spec.profile, spec.options)
    if not spec.reports:
        return program
    made = bytearray(program)
    for at in range(0, len(made), INSTRUCTION.size):
        code, yes, no, value = INSTRUCTION.unpack_from(made, at)
        if code == RETURN and value & ACTION == ERRNO:
            INSTRUCTION.pack_into(made, at, code, yes, no, NOTIFY)
    return bytes(made)


INSTRUCTION: Final = Struct("=HBBI")
"""struct sock_filter: code, where to jump, operand."""
RETURN: Final = 0x06
ACTION: Final = 0xFFFF_0000
ERRNO: Final = 0x0005_0000
NOTIFY: Final = 0x7FC0_0000


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
