"""urlquery.* and uri.*: queries and URLs."""

from __future__ import annotations

from typing import NoReturn

from sekisho.lang.golang import gourl
from sekisho.rego import jsontext
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import BOOLEAN, STRING, Array, Function, Object, SetOf, Union
from sekisho.rego.values import Set, Value


def _encode(context: EvalContext, text: Value) -> str:
    source = operands.string(text, 1)
    context.meter.text(len(source) * (1 if source.isalnum() and source.isascii() else 3))
    return gourl.escape_query(source)


def _decode(context: EvalContext, text: Value) -> str:
    source = operands.string(text, 1)
    context.meter.text(len(source))
    return gourl.unescape_query(source)


def _encode_object(parameters: Value) -> str:
    return gourl.encode_query(
        {jsontext.key_text(name): _values(value) for name, value in operands.object_(parameters, 1).items()},
    )


def _values(value: Value) -> list[str]:
    if type(value) is str:
        return [value]
    if type(value) not in {list, Set}:
        _refuse()
    for item in value:
        if type(item) is not str:
            _refuse()
    return list(value)


def _refuse() -> NoReturn:
    operands.fail(1, "values must be string, array[string], or set[string]")


def _decode_object(text: Value) -> Value:
    return gourl.parse_query(operands.string(text, 1))


def _parse(text: Value) -> Value:
    url = gourl.parse(operands.string(text, 1))
    parts = {
        "scheme": url.scheme,
        "hostname": url.hostname,
        "port": url.port,
        "path": url.path,
        "raw_path": url.raw_path or url.path if url.path else "",
        "raw_query": url.raw_query,
        "fragment": url.fragment,
    }
    return {name: part for name, part in parts.items() if part}


def _is_valid(text: Value) -> bool:
    if type(text) is not str or not text:
        return False
    try:
        gourl.parse(text)
    except BuiltinFault:
        return False
    return True


_VALUES = Union((STRING, Array(dynamic=STRING), SetOf(STRING)))
row("urlquery.encode", Function((STRING,), STRING), _encode, context=True)
row("urlquery.decode", Function((STRING,), STRING), _decode, context=True)
row("urlquery.encode_object", Function((Object(dynamic=(STRING, _VALUES)),), STRING), _encode_object)
row(
    "urlquery.decode_object",
    Function((STRING,), Object(dynamic=(STRING, Array(dynamic=STRING)))),
    _decode_object,
)
row("uri.parse", Function((STRING,), Object(dynamic=(STRING, STRING))), _parse)
row("uri.is_valid", Function((STRING,), BOOLEAN), _is_valid)
