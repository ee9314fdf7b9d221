"""Loading, running and judging one conformance case of the CEL specification."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sekisho.cel as cel
from sekisho.cel import compare
from sekisho.cel.extensions.encoders import encoders
from sekisho.cel.extensions.lists import lists
from sekisho.cel.extensions.math import maths
from sekisho.cel.extensions.network import NETWORK
from sekisho.cel.extensions.optionals import OPTIONAL_LISTS
from sekisho.cel.extensions.regex import REGEX
from sekisho.cel.extensions.sets import SETS
from sekisho.cel.extensions.strings import strings
from sekisho.cel.functions import Overload
from sekisho.cel.library import Library
from sekisho.cel.problems import display_all
from sekisho.cel.standard import BINDINGS, BLOCKS, MESSAGES, OPTIONALS, TWO_VARIABLES
from sekisho.cel.state import State
from sekisho.cel.types import (
    ANY,
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    CelType,
    list_of,
    map_of,
    opaque,
    param,
    struct,
    type_of_type,
    wrapper_of,
)
from sekisho.cel.values import Duration, Optional, Timestamp, UInt, Value, key_of
from sekisho.diag import DiagnosticError, Source
from sekisho.lang.meter import Limits
from tests.conformance.cel_spec.textproto import Message, parse

BOUNDS = cel.Bounds(limits=Limits(seconds=10))


def libraries() -> tuple[Library, ...]:
    """All libraries: those of the language, and cel-go's extensions."""
    return (
        OPTIONALS,
        OPTIONAL_LISTS,
        TWO_VARIABLES,
        BINDINGS,
        BLOCKS,
        MESSAGES,
        encoders(),
        lists(),
        maths(),
        NETWORK,
        REGEX,
        SETS,
        strings(),
    )


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a section of a file."""

    file: str
    section: str
    name: str
    ordinal: int
    body: Message

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What identifies the case."""
        return self.file, self.section, self.name, self.ordinal

    @property
    def label(self) -> str:
        """The case as it is printed."""
        return f"{self.file}/{self.section}/{self.name}" + (f" #{self.ordinal}" if self.ordinal else "")


def load_cases(folder: Path) -> Iterator[Case]:
    """All cases of the textproto files in a folder."""
    for path in sorted(folder.rglob("*.textproto")):
        document = parse(path.read_text(encoding="utf-8"))
        file = text(document.one("name", path.stem.encode()))
        for section in document.all("section"):
            seen: dict[str, int] = {}
            title = text(section.one("name", b""))
            for body in section.all("test"):
                name = text(body.one("name", b""))
                ordinal = seen.get(name, 0)
                seen[name] = ordinal + 1
                yield Case(file, title, name, ordinal, body)


def load_expected(path: Path) -> dict[tuple[str, str, str, int], str]:
    """The cases that are expected to fail, with the reasons."""
    found = {}
    for group in json.loads(path.read_text(encoding="utf-8")):
        for file, section, names in group["cases"]:
            for name in names:
                plain, _, ordinal = name.partition(" #")
                found[file, section, plain, int(ordinal or 0)] = group["reason"]
    return found


def text(data: bytes) -> str:
    """A quoted value that is a text."""
    return data.decode("utf-8", "surrogateescape")


# --- running ----------------------------------------------------------------------------------------------


def run_case(case: Case, known: tuple[Library, ...]) -> str | None:
    """What is wrong with the outcome of a case, or None."""
    try:
        return _run(case.body, known)
    except Exception as error:  # noqa: BLE001  whatever happens is the outcome of the case
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({where.filename.rsplit('/', 1)[-1]}:{where.lineno})"


def _run(body: Message, known: tuple[Library, ...]) -> str | None:
    wants_error = "eval_error" in body or "any_eval_errors" in body
    try:
        found = _evaluate(body, known)
    except DiagnosticError as error:
        if wants_error:
            return None
        return f"error: {display_all(error)}"
    program, value = found
    if wants_error:
        return f"gives {value!r}, should fail"
    typed = body.one("typed_result")
    if typed is not None:
        deduced = _type(typed.one("deduced_type"))
        if not program.type.same(deduced):
            return f"is of type {program.type}, should be {deduced}"
        if "result" not in typed:
            return None
    wanted = True
    if typed is not None:
        wanted = _value(typed.one("result"))
    elif "value" in body:
        wanted = _value(body.one("value"))
    return None if _same(value, wanted) else f"gives {value!r}, should give {wanted!r}"


def _evaluate(body: Message, known: tuple[Library, ...]) -> tuple[cel.Program, Value]:
    bindings = {
        text(entry.one("key", b"")): _value(entry.one("value").one("value")) for entry in body.all("bindings")
    }
    variables = dict.fromkeys(bindings, DYN)
    for declaration in body.all("type_env"):
        identifier = declaration.one("ident")
        if identifier is not None:
            variables[text(declaration.one("name"))] = _type(identifier.one("type"))
    environment = cel.Environment(
        libraries=(*known, _declared(body)),
        variables=variables,
        container=text(body.one("container", b"")),
        options=cel.Options(
            checked=body.one("disable_check") != "true",
            macros=body.one("disable_macros") != "true",
            presence_cost=True,
        ),
    )
    program = cel.compile(Source("<input>", text(body.one("expr"))), environment)
    if body.one("check_only") == "true":
        return program, None
    return program, program.eval(bindings, bounds=BOUNDS)


def _declared(body: Message) -> Library:
    """The functions that a case declares; nothing calls them."""
    rows = []
    for declaration in body.all("type_env"):
        function = declaration.one("function")
        for overload in function.all("overloads") if function is not None else ():
            row = Overload(
                id=text(overload.one("overload_id")),
                function=text(declaration.one("name")),
                params=tuple(map(_type, overload.all("params"))),
                result=_type(overload.one("result_type")),
                call=_uncalled,
                member=overload.one("is_instance_function") == "true",
            )
            rows.append(row)
    return Library(name="declared", overloads=tuple(rows))


def _uncalled(*_: Value) -> Value:
    raise AssertionError("a function that is only declared is called")


# --- values and types -------------------------------------------------------------------------------------


def _nanoseconds(message: Message) -> int:
    return int(message.one("seconds", "0")) * 10**9 + int(message.one("nanos", "0"))


def _json(message: Message) -> Value:
    if "number_value" in message:
        return float(message.one("number_value"))
    if "string_value" in message:
        return text(message.one("string_value"))
    if "bool_value" in message:
        return message.one("bool_value") == "true"
    if "struct_value" in message:
        return _struct(message.one("struct_value"))
    if "list_value" in message:
        return [_json(value) for value in message.one("list_value").all("values")]
    return None


def _struct(message: Message) -> dict[str, Value]:
    return {text(entry.one("key")): _json(entry.one("value")) for entry in message.all("fields")}


_WRAPPERS = {
    "BoolValue": lambda m: m.one("value", "false") == "true",
    "BytesValue": lambda m: m.one("value", b""),
    "DoubleValue": lambda m: float(m.one("value", "0")),
    "FloatValue": lambda m: float(m.one("value", "0")),
    "Int32Value": lambda m: int(m.one("value", "0")),
    "Int64Value": lambda m: int(m.one("value", "0")),
    "StringValue": lambda m: text(m.one("value", b"")),
    "UInt32Value": lambda m: UInt(int(m.one("value", "0"))),
    "UInt64Value": lambda m: UInt(int(m.one("value", "0"))),
    "Duration": lambda m: Duration(_nanoseconds(m)),
    "Timestamp": lambda m: Timestamp(_nanoseconds(m)),
    "Value": _json,
    "Struct": _struct,
    "ListValue": lambda m: [_json(v) for v in m.all("values")],
}


def _value(message: Message) -> Value:
    [(kind, [value])] = message.items()
    if kind == "object_value":
        return _object(value)
    if kind == "list_value":
        return [_value(item) for item in value.all("values")]
    if kind == "map_value":
        pairs = [(_value(e.one("key")), _value(e.one("value"))) for e in value.all("entries")]
        return {key_of(k): v for k, v in pairs}
    if kind == "enum_value":
        return int(value.one("value", "0"))
    return {
        "null_value": lambda: None,
        "bool_value": lambda: value == "true",
        "int64_value": lambda: int(value, 0),
        "uint64_value": lambda: UInt(int(value, 0)),
        "double_value": lambda: float(value),
        "string_value": lambda: text(value),
        "bytes_value": lambda: value,
        "type_value": lambda: CelType(TYPE.kind, text(value)),
    }[kind]()


def _object(message: Message) -> Value:
    [(name, [value])] = message.items()
    type_name = name.strip("[]").rsplit("/", 1)[-1]
    stem = type_name.removeprefix("google.protobuf.")
    if stem == "Any":
        return _object(value)
    if stem == type_name or stem not in _WRAPPERS:
        raise ValueError(f"a value of message type {type_name}")
    return _WRAPPERS[stem](value)


_PRIMITIVES = {"BOOL": BOOL, "INT64": INT, "UINT64": UINT, "DOUBLE": DOUBLE, "STRING": STRING, "BYTES": BYTES}
_WELL_KNOWN = {"ANY": ANY, "TIMESTAMP": TIMESTAMP, "DURATION": DURATION}


def _type(message: Message) -> CelType:
    [(kind, [value])] = message.items()
    if kind == "primitive":
        return _PRIMITIVES[value]
    if kind == "well_known":
        return _WELL_KNOWN[value]
    if kind == "wrapper":
        return wrapper_of(_PRIMITIVES[value])
    if kind == "list_type":
        return list_of(_type(value.one("elem_type")))
    if kind == "map_type":
        return map_of(_type(value.one("key_type")), _type(value.one("value_type")))
    if kind == "message_type":
        return _message_type(text(value))
    if kind == "abstract_type":
        return opaque(text(value.one("name")), *map(_type, value.all("parameter_types")))
    if kind == "type":
        return type_of_type(_type(value)) if value else TYPE
    return {"dyn": DYN, "null": NULL, "error": DYN}.get(kind) or param(text(value))


def _message_type(name: str) -> CelType:
    declared = {s.name: s.result for s in MESSAGES.structs}
    known = {
        "google.protobuf.Any": ANY,
        "google.protobuf.Timestamp": TIMESTAMP,
        "google.protobuf.Duration": DURATION,
    }
    return known.get(name) or declared.get(name) or struct(name)


def _same(value: Value, wanted: Value) -> bool:
    """Whether two values are equal and of the same types; NaN is itself here."""
    if isinstance(wanted, float) and isinstance(value, float) and math.isnan(wanted):
        return math.isnan(value)
    if isinstance(wanted, list):
        return (
            isinstance(value, list | tuple)
            and len(value) == len(wanted)
            and all(_same(a, b) for a, b in zip(value, wanted, strict=True))
        )
    if isinstance(wanted, dict):
        return (
            isinstance(value, dict)
            and len(value) == len(wanted)
            and all(key in value and _same(value[key], item) for key, item in wanted.items())
        )
    if isinstance(value, Optional):
        return False
    return type(value) is type(wanted) and compare.equal(State(), value, wanted)
