"""From planned groups to the image of their code."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

from sekisho.lang.pyast import Writer, compile_module
from sekisho.rego.codegen.functions import GroupWriter
from sekisho.rego.codegen.unit import Unit
from sekisho.rego.image import Image
from sekisho.rego.plan.ir import Form, Group

_ALWAYS: Final = {Form.SET: "set", Form.OBJECT: "dict"}


def generate(unit: Unit, groups: Sequence[Group], write: type[GroupWriter] = GroupWriter) -> Image:
    """The image of these groups. Functions stand in the module of their first clause."""
    unit.always = {g.number: _ALWAYS[g.form] for g in groups if g.form in _ALWAYS}
    modules: dict[int, list[ast.stmt]] = {}
    for group in groups:
        writer = write(Writer(), unit, group)
        modules.setdefault(writer.module, []).append(writer.write())
    codes = [compile_module(unit.constants, "<constants>")]
    codes.extend(compile_module(modules[number], unit.sources[number].name) for number in sorted(modules))
    return Image(
        codes=tuple(codes),
        positions=tuple(unit.positions),
        used=tuple(unit.used.items()),
        paths=unit.paths,
        packages=unit.packages,
        functions=tuple(g.number for g in groups if g.form is Form.FUNCTION and g.params),
        mockable=tuple(sorted(unit.mockable)),
        overridable=tuple(sorted(unit.overridable)),
    )
