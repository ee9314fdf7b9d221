"""The YAML of a metadata block as a Rego value, in the form that ``rego.metadata.rule()`` gives it.

Scalars are read as go-yaml v3 reads them, which OPA uses: only true and false are booleans, ``0o7`` is octal,
dates become timestamps. The fields and their forms are the table ``_FIELDS``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sekisho.diag import Limit, Source
from sekisho.rego.dialect import Dialect
from sekisho.rego.nodes import Ref, Scalar, Term, Var
from sekisho.rego.parser.state import Failure
from sekisho.rego.parser.statements import Statements
from sekisho.rego.values import Number, Value

if TYPE_CHECKING:
    import yaml

NODES: Final = Limit("a metadata block", 10_000, "nodes", "aliases may make a short text expand without end")

_INTEGER: Final = r"[-+]?[0-9][0-9_]*|[-+]?0b[01_]+|[-+]?0o[0-7_]+|[-+]?0x[0-9a-fA-F_]+"
_FLOAT: Final = (
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)

# Type, form, and the characters it may begin with; "" stands for the empty scalar.
_SCALARS: Final = (
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", "true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", _INTEGER, list("-+0123456789")),
    ("float", _FLOAT, list("-+0123456789.")),
    ("timestamp", "[0-9]{4}-[0-9]{2}-[0-9]{2}", list("0123456789")),
    ("merge", "<<", ["<"]),
)


class MetadataError(Exception):
    """The block is wrong: why, and in which of its lines (from zero), if that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def read_metadata(text: str) -> dict[str, Value]:
    """The value of a block, without its scope if it names none. MetadataError if it is malformed."""
    if not text.strip():
        raise MetadataError("expected METADATA block, found whitespace")
    raw = _load(text)
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise MetadataError(f"yaml: cannot unmarshal {_tag(raw)} into metadata", 0)
    value: dict[str, Value] = {}
    for name, convert in _FIELDS.items():
        if raw.get(name) is not None:
            field = convert(name, raw[name])
            if field not in ("", [], {}, False):
                value[name] = field
    return value


# --- YAML -------------------------------------------------------------------------------------------------


def _load(text: str) -> Any:
    import yaml

    try:
        return _plain(yaml.load(text, _loader()), iter(range(NODES.value)))  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark is not None else None
        what = error.problem or error.context or "malformed"
        where = "" if line is None else f"line {line + 1}: "
        raise MetadataError(f"yaml: {where}{what}", line) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MetadataError("yaml: the block cannot be read") from error


@cache
def _loader() -> type[yaml.SafeLoader]:
    import yaml

    base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc, valid-type]
        """A loader with go-yaml's scalars, which refuses keys that are given twice."""

        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            """A mapping without repeated keys."""
            seen: set[str] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    if key.value in seen:
                        problem = f'mapping key "{key.value}" already defined'
                        raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
                    seen.add(key.value)
            found: dict[Any, Any] = super().construct_mapping(node, deep)
            return found

    for name, form, first in _SCALARS:
        pattern = re.compile(rf"(?:{form})\Z")
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", pattern, first)
    for name, make in (("int", _integer), ("float", _float), ("timestamp", _timestamp)):
        Loader.add_constructor(f"tag:yaml.org,2002:{name}", _scalar(make))
    return Loader


def _scalar(make: Callable[[str], Value]) -> Callable[[yaml.SafeLoader, yaml.ScalarNode], Value]:
    return lambda _, node: make(node.value)


def _integer(text: str) -> Value:
    digits = text.replace("_", "")
    if len(digits) > 1 and digits.lstrip("-+").startswith("0") and digits.lstrip("-+").isdigit():
        return int(digits, 8) if not set(digits) & set("89") else int(digits)
    return int(digits, 0)


def _float(text: str) -> Value:
    if text.lower().endswith(("inf", "nan")):
        raise ValueError(text)
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return int(value) if value.is_integer() and abs(value) < 1e21 else Number(repr(value))


def _timestamp(text: str) -> Value:
    return f"{text}T00:00:00Z"


def _plain(raw: Any, budget: Iterator[int]) -> Value:
    """The loaded value with text keys, copied: aliases share parts."""
    if next(budget, None) is None:
        raise MetadataError(str(NODES))
    if isinstance(raw, dict):
        for key in raw:
            if not isinstance(key, str):
                raise MetadataError(f"invalid map key type(s): {key}")
        return {key: _plain(value, budget) for key, value in raw.items()}
    if isinstance(raw, list):
        return [_plain(value, budget) for value in raw]
    if raw is None or isinstance(raw, (str, bool, int, Number)):
        return raw
    raise MetadataError(f"yaml: cannot unmarshal {_tag(raw)}")


def _tag(raw: Any) -> str:
    if isinstance(raw, dict):
        return "!!map"
    if isinstance(raw, list):
        return "!!seq"
    return "!!bool" if isinstance(raw, bool) else "!!str"


# --- fields -----------------------------------------------------------------------------------------------


def _text(name: str, raw: Any) -> Value:
    if isinstance(raw, (dict, list)):
        raise MetadataError(f"yaml: unmarshal errors: cannot unmarshal {_tag(raw)} into string ({name})")
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return raw.text if isinstance(raw, Number) else str(raw)


def _flag(name: str, raw: Any) -> Value:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in {"yes", "on", "y", "no", "off", "n"}:
        return raw.lower() in {"yes", "on", "y"}
    raise MetadataError(f"yaml: unmarshal errors: cannot unmarshal {_tag(raw)} into bool ({name})")


def _list(name: str, raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise MetadataError(f"yaml: unmarshal errors: cannot unmarshal {_tag(raw)} into list ({name})")
    return raw


def _mapping(name: str, raw: Any) -> Value:
    if not isinstance(raw, dict):
        raise MetadataError(f"yaml: unmarshal errors: cannot unmarshal {_tag(raw)} into map ({name})")
    return raw


def _organizations(name: str, raw: Any) -> Value:
    return [_text(name, item) for item in _list(name, raw)]


def _resources(name: str, raw: Any) -> Value:
    return [_resource(item) for item in _list(name, raw)]


def _resource(raw: Any) -> Value:
    what = f"invalid related-resource definition {raw}"
    if isinstance(raw, str):
        if not raw:
            raise MetadataError(f"{what}: ref URL may not be empty string")
        return {"ref": raw}
    if not isinstance(raw, dict):
        raise MetadataError(f"{what}: invalid value type, must be string or map")
    ref, description = (_stripped(raw, key) for key in ("ref", "description"))
    if not ref:
        raise MetadataError(f"{what}: 'ref' value required in object")
    return {"ref": ref, "description": description} if description else {"ref": ref}


def _authors(name: str, raw: Any) -> Value:
    return [_author(item) for item in _list(name, raw)]


def _author(raw: Any) -> Value:
    """``Jane Doe <jane@example.com>``, or name and email."""
    what = f"invalid author definition {raw}"
    if isinstance(raw, str):
        words = raw.split()
        if not words:
            raise MetadataError(f"{what}: author is an empty string")
        email = words.pop()[1:-1] if words[-1].startswith("<") and words[-1].endswith(">") else ""
        name = " ".join(words)
    elif isinstance(raw, dict):
        name, email = _stripped(raw, "name"), _stripped(raw, "email")
        if not name and not email:
            raise MetadataError(f"{what}: 'name' and/or 'email' values required in object")
    else:
        raise MetadataError(f"{what}: invalid value type, must be string or map")
    return {key: value for key, value in (("name", name), ("email", email)) if value}


def _stripped(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    return value.strip() if isinstance(value, str) else ""


def _schemas(name: str, raw: Any) -> Value:
    return [_schema(_mapping(name, item)) for item in _list(name, raw)]


def _schema(raw: dict[str, Any]) -> Value:
    """``{input.x: schema.y}`` or ``{input.x: {a JSON schema}}``."""
    key, schema = next(iter(raw.items()), ("", None))
    path = _reference(key)
    if path is None:
        raise MetadataError("invalid document reference")
    if isinstance(schema, dict):
        return {"path": path, "definition": schema}
    if not isinstance(schema, str):
        raise MetadataError(f'invalid schema declaration for path "{key}"')
    found = _reference(schema, roots=frozenset({"schema"}))
    if found is None:
        raise MetadataError("invalid schema reference")
    return {"path": path, "schema": found}


def _reference(text: str, roots: frozenset[str] = frozenset()) -> list[Value] | None:
    """The steps of a reference; None if the text is none, or begins with another root."""
    parser = Statements(Source("<metadata>", text), Dialect.V1, frozenset())
    try:
        term = parser.term()
    except Failure:
        return None
    if not parser.at_end:
        return None
    if isinstance(term, Var):
        return [term.name] if term.name in (roots or {"input", "data"}) else None
    if not isinstance(term, Ref) or not isinstance(term.head, Var):
        return None
    if roots and term.head.name not in roots:
        return None
    return [term.head.name, *map(_step, term.path)]


def _step(term: Term) -> Value:
    if isinstance(term, Scalar):
        return term.value if isinstance(term.value, str) else str(term.value)
    return term.name if isinstance(term, Var) else "_"


_FIELDS: Final[dict[str, Callable[[str, Any], Value]]] = {
    "scope": _text,
    "title": _text,
    "entrypoint": _flag,
    "description": _text,
    "organizations": _organizations,
    "related_resources": _resources,
    "authors": _authors,
    "schemas": _schemas,
    "compile": _mapping,
    "custom": _mapping,
    "labels": _mapping,
}
