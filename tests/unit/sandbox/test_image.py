"""The image of the modules that a start needs: trusted as byte code is, and never stale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.sandbox import image
from sekisho.sandbox.oci_runtime.commands import install

SRC = Path(__file__).parents[3] / "src"
TELL = "import sekisho.sandbox.spawn.tree as t; print(type(t.__spec__.loader).__name__, t.FLAGS['ro'])"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what an image is made of, where one can be written."""
    folder = tmp_path / "sekisho"
    skipped = shutil.ignore_patterns("__pycache__", "doctor", "table")
    shutil.copytree(SRC / "sekisho" / "sandbox", folder / "sandbox", ignore=skipped)
    shutil.copy(SRC / "sekisho" / "__init__.py", folder)
    (folder / "sandbox" / "__pycache__").mkdir()
    return tmp_path


def run(copy: Path, code: str) -> str:
    """Run code with that copy alone; the image is used before, and kept after."""
    whole = f"""
import sys
sys.path.insert(0, {str(copy)!r})
from sekisho.sandbox import image
used = image.use()
{code}
image.keep(used)
"""
    command = [sys.executable, "-I", "-S", "-c", whole]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def the_image(copy: Path) -> Path:
    return copy / "sekisho" / "sandbox" / "__pycache__" / Path(image.PATH).name


def test_the_first_start_writes_it_and_the_second_uses_it(copy: Path) -> None:
    assert run(copy, TELL) == "SourceFileLoader 1"
    assert the_image(copy).exists()
    assert run(copy, TELL) == "Image 1"


def test_a_module_that_has_changed_is_read_anew(copy: Path) -> None:
    run(copy, TELL)
    tree = copy / "sekisho" / "sandbox" / "spawn" / "tree.py"
    tree.write_text(tree.read_text() + "\nFLAGS['ro'] = 77\n")
    assert run(copy, TELL) == "SourceFileLoader 77"
    assert run(copy, TELL) == "Image 77"


@pytest.mark.parametrize("damage", [b"", b"something else", image.FORM, image.FORM + b"("])
def test_a_damaged_image_is_written_anew(copy: Path, damage: bytes) -> None:
    the_image(copy).write_bytes(damage)
    assert run(copy, TELL) == "SourceFileLoader 1"
    assert run(copy, TELL) == "Image 1"


def test_nothing_is_written_where_byte_code_is_not(copy: Path) -> None:
    run(copy, f"sys.dont_write_bytecode = True\n{TELL}")
    assert not the_image(copy).exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_nothing_is_written_where_it_may_not_be(copy: Path) -> None:
    the_image(copy).parent.chmod(0o555)
    assert run(copy, TELL) == "SourceFileLoader 1"


def test_the_starter_takes_everything_from_the_image(copy: Path) -> None:
    run(copy, TELL)
    text = install.starter(sys.executable, str(copy)).replace(str(SRC), str(copy))
    told = "import sys; print(*{type(m.__spec__.loader).__name__ for n, m in sys.modules.items() if n[:7] == 'sekisho' and m.__spec__})"
    code = text.replace("\nmain()", f"\n{told}")
    out = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "Image"


def test_an_assertion_stays_and_documentation_goes() -> None:
    space: dict[str, object] = {}
    exec(
        image._compiled(b'def f():\n    "text"\n    assert False\n"""more"""\nclass C:\n    "text"\n', "x"),
        space,
    )
    function = space["f"]
    assert callable(function)
    assert function.__doc__ is None
    with pytest.raises(AssertionError):
        function()
