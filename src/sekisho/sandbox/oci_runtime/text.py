"""JSON without the price of the package ``json``, whose regular expressions are slow to import.

The scanner is the one that ``json`` uses, and reads what it reads; numbers, constants and nesting are the
same.
"""

from __future__ import annotations

import _json

from sekisho.sandbox.errors import SandboxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST = 16 << 20
"""Bytes of a config.json: far more than any engine writes, far less than what would hurt."""

_BLANK = " \t\n\r"


class _Settings:
    """What the scanner asks of a decoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    memo: dict[str, str] = {}  # noqa: RUF012  the scanner's own

    @staticmethod
    def parse_constant(name: str) -> Any:
        """NaN and the infinities, which are no JSON."""
        raise ValueError(f"{name} is no JSON")


_scan: Any = _json.make_scanner(_Settings())  # type: ignore[arg-type]  # it asks for these attributes alone


def parse(text: str, name: str) -> Any:
    """The value of a JSON text. SandboxError SBX120 names the file and what is wrong."""
    start = len(text) - len(text.lstrip(_BLANK))
    try:
        value, end = _scan(text, start)
    except StopIteration as stop:
        raise _malformed(name, text, int(stop.value)) from None
    except RecursionError:
        raise SandboxError("SBX120", f"{name} is nested too deeply") from None
    except ValueError as error:
        raise SandboxError("SBX120", f"{name} is no JSON: {error}") from None
    if text[end:].strip(_BLANK):
        raise _malformed(name, text, end)
    return value


def _malformed(name: str, text: str, at: int) -> SandboxError:
    line = text.count("\n", 0, at) + 1
    return SandboxError("SBX120", f"{name} is no JSON: line {line}, column {at - text.rfind(chr(10), 0, at)}")


def parse_file(path: str) -> Any:
    """The value of a JSON file. SandboxError SBX120."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
    except OSError as error:
        raise SandboxError("SBX120", f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MOST:
        raise SandboxError("SBX120", f"{path} is larger than {MOST >> 20} MiB")
    try:
        return parse(data.decode("utf-8", "surrogateescape"), path)
    except UnicodeDecodeError:
        raise SandboxError("SBX120", f"{path} is not UTF-8") from None


def write(value: object, indent: str = "") -> str:
    """A value of None, bools, numbers, strings, lists and dicts as JSON; ``indent`` breaks lines."""
    return "".join(_write(value, indent, "\n" if indent else ""))


def _write(value: object, indent: str, line: str) -> Any:
    if value is None or isinstance(value, bool):
        yield {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, str):
        yield _json.encode_basestring_ascii(value)
    elif isinstance(value, int | float):
        yield repr(value)
    else:
        yield from _write_many(value, indent, line)


def _write_many(value: object, indent: str, line: str) -> Any:
    inner = line + indent
    if isinstance(value, dict):
        opening, closing, items = "{", "}", list(value.items())
    else:
        assert isinstance(value, list | tuple), type(value)
        opening, closing, items = "[", "]", [("", item) for item in value]
    yield opening
    for place, (key, item) in enumerate(items):
        yield ("," if place else "") + inner
        if opening == "{":
            yield _json.encode_basestring_ascii(key) + (": " if indent else ":")
        yield from _write(item, indent, inner)
    yield (line if items else "") + closing
