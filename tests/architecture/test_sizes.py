"""Modules up to 500 lines (never over 800), functions up to 60, parameters up to 7, READMEs up to 40 lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "sekisho"
MODULES = sorted(SRC.rglob("*.py"))

MODULE_LINES, MODULE_STOP = 500, 800
FUNCTION_LINES = 60
PARAMETERS = 7
FOLDER_LINES = 6_000
README_LINES = 40

LONG_MODULES: dict[str, str] = {}
"""Modules between 500 and 800 lines, each with the reason why it is not split."""

LONG_FUNCTIONS: dict[str, str] = {}
"""Functions over 60 lines, as ``module:function``, each with its reason."""

MANY_PARAMETERS: dict[str, str] = {
    "cli/check.py:command": "a click command takes one parameter for each option that its help names",
    "cli/policy/audit.py:command": "likewise",
    "cli/policy/preview.py:command": "likewise",
    "sandbox/api/sandbox.py:__init__": "keywords, each an option of the sandbox",
    "sandbox/api/sandbox.py:popen": "the keywords of subprocess.Popen",
    "sandbox/api/sandbox.py:run": "the keywords of subprocess.run",
}
"""Functions with more than 7 parameters, as ``module:function``, each with its reason."""


def name_of(module: Path) -> str:
    return module.relative_to(SRC).as_posix()


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_module_size(module: Path) -> None:
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert lines <= MODULE_STOP
    assert (lines > MODULE_LINES) == (name_of(module) in LONG_MODULES)


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_function_size(module: Path) -> None:
    found = {
        f"{name_of(module)}:{node.name}"
        for node in functions(module)
        if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    }
    assert found == {name for name in LONG_FUNCTIONS if name.startswith(f"{name_of(module)}:")}


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_parameters(module: Path) -> None:
    found = set()
    for node in functions(module):
        args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        count = sum(arg.arg not in ("self", "cls") for arg in args)
        if count > PARAMETERS:
            found.add(f"{name_of(module)}:{node.name}")
    assert found == {name for name in MANY_PARAMETERS if name.startswith(f"{name_of(module)}:")}


PACKAGES = sorted(file.parent for file in SRC.rglob("__init__.py") if file.parent != SRC)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_package_has_a_short_readme(package: Path) -> None:
    readme = package / "README.md"
    assert readme.is_file(), (
        "each package says what it is for, its entry, its invariants, what it must not know"
    )
    assert len(readme.read_text(encoding="utf-8").splitlines()) <= README_LINES


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_folder_size(package: Path) -> None:
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in package.glob("*.py"))
    assert lines <= FOLDER_LINES
