"""``sekisho-runtime``: an OCI runtime whose containers are sandboxes.

Start-up is the product: nothing is imported that the command at hand does not need. Errors go to standard
error, and to ``--log`` in the form that containerd and Docker read.
"""

from __future__ import annotations

import os
import sys

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from sekisho.sandbox.oci_runtime.options import Call
    from sekisho.sandbox.oci_runtime.store import Store

VERSION = "0.1.0"


class Context:
    """What a command gets: its words and flags, the containers, and where warnings go."""

    __slots__ = ("call", "store")

    def __init__(self, call: Call, store: Store) -> None:
        self.call = call
        self.store = store

    def warn(self, message: str) -> None:
        """Say something that is no error, in the log alone: a terminal is the container's."""
        _log(self.call, "warning", message)

    def out(self, line: str) -> None:
        """A line of output."""
        sys.stdout.write(line + "\n")


def run(arguments: Sequence[str]) -> int:
    """Run a command line. 0, or 1 with a message; for run and exec the program's own exit status."""
    call: Call | None = None
    try:
        call = options.parse(arguments)
        if call.command == "help":
            sys.stdout.write(options.help_text(call.words))
            return 0
        if call.command == "version":
            sys.stdout.write(f"sekisho-runtime version {VERSION}\nspec: 1.2.1\n")
            return 0
        from sekisho.sandbox.oci_runtime.store import Store, default_root

        module = __import__(
            f"sekisho.sandbox.oci_runtime.commands.{options.COMMANDS[call.command].module}",
            fromlist=["command"],
        )
        status = module.command(Context(call, Store(call.setting("root") or default_root())))
        sys.stdout.flush()
    except SandboxError as error:
        return _fail(call, error.message, error.code, error.help)
    except BrokenPipeError:
        return 1
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return _fail(call, f"{error.strerror or error}{where}", "SBX019", "")
    assert isinstance(status, int)
    return status


def _fail(call: Call | None, message: str, code: str, help: str) -> int:
    if call is not None:
        _log(call, "error", message)
    told = f"sekisho-runtime: error {code}: {message}\n" + (f"  help: {help}\n" if help else "")
    try:
        sys.stderr.write(told)
    except OSError:
        pass  # nobody reads it; the log has it
    return 1


def _log(call: Call, level: str, message: str) -> None:
    """Append a line to the log; an engine shows the last error in it to its user."""
    path = call.setting("log")
    if not path or (level == "debug" and not call.is_set("debug")):
        return
    import time

    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if call.setting("log-format") == "json":
        from sekisho.sandbox.oci_runtime import text

        line = text.write({"level": level, "msg": message, "time": when})
    else:
        line = f'time="{when}" level={level} msg="{message}"'
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        return  # a log that cannot be written keeps nobody from working
    try:
        os.write(fd, f"{line}\n".encode("utf-8", "surrogateescape"))
    finally:
        os.close(fd)


def main() -> NoReturn:
    """The program."""
    status = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:
        status = status or 1
    os._exit(status)


if __name__ == "__main__":
    main()
