"""``install`` and ``uninstall``: make this runtime known to Docker, and take it from there again."""

from __future__ import annotations

import os
import sys

from sekisho.sandbox import image
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sekisho.sandbox.oci_runtime.main import Context

DAEMON = "/etc/docker/daemon.json"

STARTER = """#!{python} -IS
import sys
sys.path.insert(0, {source!r})
def image():
    import marshal, posix
    try:
        fd = posix.open({image!r}, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return
    head = posix.pread(fd, {head}, 0)
    try:
        code, rows = marshal.loads(head[{begin}:]) if head.startswith({form!r}) else None
    except (EOFError, TypeError, ValueError):
        return posix.close(fd)
    module = type(sys)("sekisho.sandbox.image")
    module.__file__ = {module!r}
    exec(code, module.__dict__)
    module.take(fd, rows)
    sys.modules[module.__name__] = module
image()
from sekisho.sandbox.oci_runtime.quick import main
main()
"""
"""A program that starts faster than the one that pip makes: it looks for no site packages, and for no module
where an image (``sandbox.image``) has it.
"""


def starter(python: str, source: str) -> str:
    """The program, for an interpreter and the folder that the package lies in."""
    return STARTER.format(
        python=python,
        source=source,
        image=image.PATH,
        head=image.HEAD,
        form=image.FORM,
        begin=len(image.FORM),
        module=image.__file__,
    )


def command(context: Context) -> int:
    """Write the entry ``runtimes.NAME`` of Docker's configuration; the rest of it stays as it is."""
    call = context.call
    path, name = call.text("config-file", DAEMON), call.text("runtime", "sekisho")
    config: Any = text.parse_file(path) if os.path.exists(path) else {}
    if not isinstance(config, dict) or not isinstance(config.setdefault("runtimes", {}), dict):
        raise SandboxError("SBX122", f"{path}: runtimes must be an object")
    if call.command == "install":
        program = _program(call.text("wrapper"))
        config["runtimes"][name] = {"path": program}
        context.out(f"Added runtime {name} ({program}) to {path}; restart Docker to use it.")
    elif config["runtimes"].pop(name, None) is None:
        raise SandboxError("SBX113", f"{path} has no runtime {name}")
    else:
        context.out(f"Removed runtime {name} from {path}; restart Docker.")
    if not config["runtimes"]:
        del config["runtimes"]
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    _write(path, text.write(config, "    ") + "\n", 0o644)
    return 0


def _program(wrapper: str) -> str:
    """The program that engines are to call; ``--wrapper`` makes a quick one."""
    if not wrapper:
        return os.path.realpath(sys.argv[0])
    source = os.path.abspath(__file__)
    for _ in ("commands", "oci_runtime", "sandbox", "sekisho", "src"):
        source = os.path.dirname(source)
    path = os.path.abspath(wrapper)
    _write(path, starter(os.path.realpath(sys.executable), source), 0o755)
    return path


def _write(path: str, content: str, mode: int) -> None:
    """Replace a file as a whole."""
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(content)
    os.chmod(f"{path}.new", mode)
    os.rename(f"{path}.new", path)
