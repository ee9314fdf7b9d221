"""``FAMILIES`` says where every built-in's row is; importing that family alone brings the row."""

from __future__ import annotations

import subprocess
import sys

from sekisho.rego import builtins
from sekisho.rego.builtins.families import FAMILIES
from sekisho.rego.capabilities import NONE


def test_the_table_is_what_the_families_say() -> None:
    names = [name for family in FAMILIES.values() for name in family]
    assert len(set(names)) == len(names)
    assert set(names) == set(builtins.load())


def test_a_family_alone_has_its_rows() -> None:
    code = (
        "import sys, importlib\n"
        "from sekisho.rego.builtins import table\n"
        "from sekisho.rego.builtins.families import FAMILIES\n"
        "for family, names in FAMILIES.items():\n"
        "    importlib.import_module('sekisho.rego.builtins.' + family)\n"
        "    assert set(names) <= set(table.TABLE), family\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_find_brings_what_is_asked_for() -> None:
    assert set(builtins.find(["count", "io.jwt.decode"], NONE)) == {"count", "io.jwt.decode"}
    assert builtins.names(NONE) == set(builtins.load())
