"""System V and POSIX message passing."""

from __future__ import annotations

from errno import ENOSYS
from typing import Final

from sekisho.sandbox.table.model import PLAIN, Option, Row, call, denied

_SYSV: Final = "a large, old part of the kernel that few programs need; an option of the sandbox opens it"
_QUEUES: Final = "message queues have names in a file system of their own; programs do without"

ROWS: Final[tuple[Row, ...]] = (
    *(
        call(number, name, denied(ENOSYS), _SYSV).under(Option.SYSV_IPC, PLAIN)
        for number, name in (
            (29, "shmget"),
            (30, "shmat"),
            (31, "shmctl"),
            (64, "semget"),
            (65, "semop"),
            (66, "semctl"),
            (67, "shmdt"),
            (68, "msgget"),
            (69, "msgsnd"),
            (70, "msgrcv"),
            (71, "msgctl"),
            (220, "semtimedop"),
        )
    ),
    *(
        call(number, name, denied(ENOSYS), _QUEUES)
        for number, name in (
            (240, "mq_open"),
            (241, "mq_unlink"),
            (242, "mq_timedsend"),
            (243, "mq_timedreceive"),
            (244, "mq_notify"),
            (245, "mq_getsetattr"),
        )
    ),
)
