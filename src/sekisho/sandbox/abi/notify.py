"""The structures of seccomp's user notification (linux/seccomp.h), packed by ``struct``."""

from __future__ import annotations

from _struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

REQUEST: Final = Struct("=QIIiIQ6Q")
"""seccomp_notif: id, thread (in the reader's pid namespace), flags; number, architecture, instruction
pointer, six arguments. 80 bytes.
"""

RESPONSE: Final = Struct("=QqiI")
"""seccomp_notif_resp: id, value, -errno, flags. 24 bytes."""

ADD: Final = Struct("=QIIII")
"""seccomp_notif_addfd: id, flags, our descriptor, its number there, its flags there. 24 bytes."""

ID: Final = Struct("=Q")
