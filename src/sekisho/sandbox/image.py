"""One file with the code of the modules that a start needs, since finding them costs more than running them.

The file lies in ``__pycache__`` beside Python's own, is written by the first start that may write there, and
is trusted as they are: a module's code is taken when its source has the time and the size that it had when
the image was made. Whatever is missing or has changed is imported as always.
"""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Final

PACKAGE: Final = __name__.rpartition(".")[0]
FOLDER: Final = os.path.dirname(__file__)
PATH: Final = f"{FOLDER}/__pycache__/start.{sys.implementation.cache_tag}.image"
FORM: Final = b"sekisho image 2 " + MAGIC_NUMBER
"""What the file begins with: the form of ours, and Python's of the code."""
LEFT_OUT: Final = ("doctor", "table")
"""Sub-packages that no start imports."""
HEAD: Final = 65_536
"""Where the code begins; before it are the form, this module's own code and the list of modules, as one
marshalled pair.
"""
USED: Final[list[Image]] = []
"""The image that is in use, if any."""

Row = tuple[bool, str, int, int, int, int]
"""Is it a package; the path of the source below this folder; its time (ns) and size; where the code stands,
and how long it is.
"""


class Image:
    """A finder of modules in an image, and their loader."""

    __slots__ = ("_rows", "fd", "stale")

    def __init__(self, fd: int, rows: dict[str, Row]) -> None:
        self.fd = fd
        self._rows = rows
        self.stale = False

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Where a module's code comes from; None if it must be looked for elsewhere."""
        row = self._rows.get(name)
        if row is None:
            return None
        is_package, path, time, size, _at, _length = row
        source = f"{FOLDER}/{path}"
        found = os.stat(source)
        if found.st_mtime_ns != time or found.st_size != size:
            self.stale = True
            return None
        spec = ModuleSpec(name, self, origin=source, is_package=is_package)  # type: ignore[arg-type]
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(source)]
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        """A module as any other."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code."""
        assert module.__spec__ is not None
        _package, path, _time, _size, at, length = self._rows[module.__spec__.name]
        module.__file__ = f"{FOLDER}/{path}"
        exec(marshal.loads(os.pread(self.fd, length, HEAD + at)), module.__dict__)  # noqa: S102, S302  as import does


def use() -> Image | None:
    """Import from the image from now on, if there is one; called before what it holds is imported."""
    if USED:
        return USED[0]  # the starter was faster
    try:
        fd = os.open(PATH, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    head = os.pread(fd, HEAD, 0)
    try:
        if head.startswith(FORM):
            return take(fd, marshal.loads(head[len(FORM) :])[1])  # noqa: S302  as Python's own byte code
    except (EOFError, TypeError, ValueError):
        pass  # half of a file: it is written anew
    os.close(fd)
    return None


def take(fd: int, rows: dict[str, Row]) -> Image:
    """Import from an image that is open from now on."""
    image = Image(fd, rows)
    sys.meta_path.insert(0, image)
    USED.append(image)
    return image


def let_go() -> None:
    """Close the image: nothing more is imported."""
    while USED:
        os.close(USED.pop().fd)


def keep(image: Image | None) -> None:
    """Write the image if the one that was used, if any, was not good; called when the work is done."""
    if (image is not None and not image.stale) or sys.dont_write_bytecode:
        return
    if os.access(os.path.dirname(PATH), os.W_OK):
        own = f"{PATH}.{os.getpid()}"
        try:
            with open(own, "wb") as file:
                file.write(make())
            os.rename(own, PATH)
        except OSError:
            return  # a full disk: the next start tries again


def make() -> bytes:
    """The image of the modules as they are now."""
    rows: dict[str, Row] = {}
    codes = b""
    for path in sorted(_sources()):
        name = _name(path)
        source = f"{FOLDER}/{path}"
        info = os.stat(source)
        with open(source, "rb") as file:
            code = marshal.dumps(_compiled(file.read(), source))
        is_package = os.path.basename(path) == "__init__.py"
        rows[name] = (is_package, path, info.st_mtime_ns, info.st_size, len(codes), len(code))
        codes += code
    with open(__file__, "rb") as file:
        own = _compiled(file.read(), __file__)
    head = FORM + marshal.dumps((own, rows))
    assert len(head) <= HEAD
    return head.ljust(HEAD, b"\0") + codes


def _sources() -> list[str]:
    found = []
    for folder, folders, files in os.walk(FOLDER):
        folders[:] = [name for name in folders if name not in LEFT_OUT and name != "__pycache__"]
        below = os.path.relpath(folder, FOLDER)
        prefix = "" if below == "." else f"{below}/"
        found += [f"{prefix}{name}" for name in files if name.endswith(".py")]
    return ["../__init__.py", *(path for path in found if path != os.path.basename(__file__))]


def _name(path: str) -> str:
    """A module's name by the path of its source."""
    full = os.path.normpath(f"{PACKAGE.replace('.', '/')}/{path}")
    return full.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _compiled(text: bytes, source: str) -> Any:
    """A module's code without its documentation, which is a third of it and read by nobody here."""
    import ast

    tree = ast.parse(text, source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            kept = [step for step in node.body if not _is_text(step)]
            node.body[:] = kept or [ast.copy_location(ast.Pass(), node.body[0])]
    return compile(tree, source, "exec", dont_inherit=True)


def _is_text(step: Any) -> bool:
    import ast

    return (
        isinstance(step, ast.Expr)
        and isinstance(step.value, ast.Constant)
        and isinstance(step.value.value, str)
    )
