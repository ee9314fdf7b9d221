"""``__all__`` is sorted, and is what a package offers."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
PACKAGES = sorted(
    file.parent.relative_to(SRC).as_posix().replace("/", ".")
    for file in (SRC / "sekisho").rglob("__init__.py")
)


@pytest.mark.parametrize("name", PACKAGES)
def test_exports(name: str) -> None:
    package = importlib.import_module(name)
    exported = getattr(package, "__all__", None)
    if exported is None:
        return
    assert len(set(exported)) == len(exported)
    assert sorted(exported, key=lambda text: (not text.isupper(), not text[0].isupper(), text)) == list(
        exported
    )
    for member in exported:
        assert hasattr(package, member)
