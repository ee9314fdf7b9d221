"""What a program that nobody trusts may try. Each attempt says how it ended; run it in a sandbox only."""

import os
import socket
import sys
import time
from collections.abc import Callable


def attempt(what: str, function: Callable[[], str]) -> None:
    try:
        result = function()
    except OSError as error:
        result = f"refused: {error.strerror or error}"
    print(f"{what:46} {result}")
    sys.stdout.flush()


def read(path: str) -> str:
    with open(path) as file:
        size = len(file.read())
    return f"READ {size} bytes" if size else "hidden: it is empty"


def reach(host: str, port: int) -> str:
    socket.create_connection((host, port), 1).close()
    return "REACHED"


def write(path: str, text: str) -> str:
    with open(path, "w") as file:
        file.write(text)
    return "written, to the overlay"


def fork_bomb() -> str:
    children = 0
    while True:
        try:
            child = os.fork()
        except BlockingIOError:
            return f"refused after {children} processes"
        if child == 0:
            time.sleep(60)
            os._exit(0)
        children += 1


attempt("read the password hashes", lambda: read("/etc/shadow"))
attempt("read an SSH key", lambda: read(os.path.expanduser("~/.ssh/id_ed25519")))
attempt("read the environment of process 1", lambda: read("/proc/1/environ"))
attempt("read the kernel's memory", lambda: read("/proc/kcore"))
attempt("ask the cloud for this machine's credentials", lambda: reach("169.254.169.254", 80))
attempt("send something out", lambda: reach("192.0.2.1", 443))
attempt(
    "choose what the kernel runs after a crash", lambda: write("/proc/sys/kernel/core_pattern", "|/tmp/x")
)
attempt("change a program of this machine", lambda: write("/etc/profile.d/evil.sh", "echo owned\n"))
attempt("start processes without end", fork_bomb)
