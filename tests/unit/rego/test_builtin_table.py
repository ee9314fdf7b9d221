"""The table of built-ins against the names of OPA 1.19, and against OPA's own list where it is installed."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.rego import builtins
from sekisho.rego.builtins.table import Support
from sekisho.rego.types import (
    ANY,
    BOOLEAN,
    NULL,
    NUMBER,
    STRING,
    Array,
    Function,
    Object,
    SetOf,
    Type,
    Union,
)

NAMES = Path(__file__).with_name("builtin_names.txt").read_text(encoding="utf-8").split()
TABLE = builtins.load()
CAPABILITIES = Path.home() / "go/pkg/mod/github.com/open-policy-agent/opa@v1.19.0/capabilities/v1.19.0.json"
SIMPLE = {"any": ANY, "boolean": BOOLEAN, "null": NULL, "number": NUMBER, "string": STRING}


def test_all_names_are_there() -> None:
    assert len(NAMES) == 206
    assert set(TABLE) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_function_takes_what_the_row_says(name: str) -> None:
    row = TABLE[name]
    count = row.context + len(row.type.args)
    signature = inspect.signature(row.function)
    if row.type.variadic is None:
        signature.bind(*range(count))
    else:
        signature.bind(*range(count + 3))
    assert row.support is not Support.PARTIAL or row.note


def shape(declared: dict[str, Any]) -> Type:
    """A type of OPA's capability file."""
    kind = declared["type"]
    if kind == "any" and "of" in declared:
        return Union(tuple(map(shape, declared["of"])))
    if kind in SIMPLE:
        return SIMPLE[kind]
    if kind == "set":
        return SetOf(shape(declared["of"]))
    if kind == "array":
        dynamic = shape(declared["dynamic"]) if "dynamic" in declared else None
        return Array(static=tuple(map(shape, declared.get("static", ()))), dynamic=dynamic)
    assert kind == "object"
    static = tuple((item["key"], shape(item["value"])) for item in declared.get("static", ()))
    more = declared.get("dynamic")
    return Object(static=static, dynamic=(shape(more["key"]), shape(more["value"])) if more else None)


def comparable(declared: Any) -> Any:
    """A type with the options of its unions in no order."""
    if isinstance(declared, Union):
        options = frozenset(map(comparable, declared.options))
        return options if len(options) > 1 else next(iter(options))
    if isinstance(declared, SetOf):
        return "set", comparable(declared.of)
    if isinstance(declared, Array):
        return "array", tuple(map(comparable, declared.static)), comparable(declared.dynamic)
    if isinstance(declared, Object):
        static = frozenset((name, comparable(value)) for name, value in declared.static)
        return "object", static, declared.dynamic and tuple(map(comparable, declared.dynamic))
    return declared


@pytest.mark.skipif(not CAPABILITIES.exists(), reason="OPA's source is not on this machine")
def test_signatures_are_opa_s() -> None:
    for declared in json.loads(CAPABILITIES.read_text(encoding="utf-8"))["builtins"]:
        row = TABLE[declared["name"]]
        decl = declared["decl"]
        expected = Function(
            args=tuple(map(shape, decl.get("args", ()))),
            result=shape(decl["result"]) if "result" in decl else None,
            variadic=shape(decl["variadic"]) if "variadic" in decl else None,
        )
        assert tuple(map(comparable, row.type.args)) == tuple(map(comparable, expected.args)), row.name
        assert comparable(row.type.result) == comparable(expected.result), row.name
        assert comparable(row.type.variadic) == comparable(expected.variadic), row.name
        assert row.infix == declared.get("infix", ""), row.name
        assert row.deterministic != declared.get("nondeterministic", False), row.name
        assert row.relation == declared.get("relation", False), row.name
        assert row.deprecated == declared.get("deprecated", False), row.name
