"""The slow path: what is wrong with a value, everything, each problem at its path, in Kubernetes' words.

The texts are those of kube-openapi's validation as the API server passes them on (``field.Error``), since
people search for them; numbers are named by their JSON type, where the original sometimes names none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from sekisho.diag import Code, Path, path_text
from sekisho.kube import fielderror
from sekisho.kube.schema import codes, formats
from sekisho.kube.schema.model import NO_BOUNDS, NO_SIZES, Bounds, Schema, Sizes
from sekisho.kube.schema.pattern import searcher
from sekisho.kube.schema.suggest import suggestion

_SECRET_FORMATS: Final = frozenset({"base64", "byte", "password"})
"""Formats of texts that may be secrets: messages leave their values out."""
_OMITTED: Final = "<value omitted>"


class Problem(NamedTuple):
    """One thing that is wrong. ``key`` is true if the path's last key is at fault, not its value."""

    code: Code
    message: str
    path: Path
    key: bool = False
    help: str = ""


Found = Iterator[Problem]


def explain(schema: Schema, value: Any, path: Path = ()) -> Found:
    """Every problem of a value, in the order of the value."""
    node = schema.resolved()
    if value is None and (node.nullable or schema.nullable or not (node.type or node.int_or_string)):
        if node.enum is not None and not _in_enum(None, node.enum):
            yield _unsupported(node, value, path)
        return
    problem = _type_problem(node, value, path)
    if problem:
        yield problem
        return
    kind = fielderror.type_name(value)
    yield from _JUDGES.get(kind, _judge_nothing)(node, value, path)
    if node.enum is not None and not _in_enum(value, node.enum):
        yield _unsupported(node, value, path)
    junctors = node.junctors
    if junctors.all_of or junctors.any_of or junctors.one_of or junctors.none_of:
        yield from _judge_junctors(node, value, path)


def conforms(schema: Schema, value: Any) -> bool:
    """Whether nothing is wrong with a value."""
    return next(explain(schema, value), None) is None


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def _in_enum(value: Any, enum: tuple[Any, ...]) -> bool:
    return any(same(value, item) for item in enum)


def _unsupported(node: Schema, value: Any, path: Path) -> Problem:
    allowed = [
        item if isinstance(item, str) else fielderror.shown(item)
        for item in node.enum or ()
        if item != "" and item is not None
    ]
    message = fielderror.not_supported(path, value, allowed)
    help = suggestion(value, allowed) if isinstance(value, str) else ""
    return Problem(codes.UNSUPPORTED, message, path, help=help)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
"""How a value of each type looks. A whole float is an integer: YAML's ``3.0`` reaches the server as 3."""


def _type_problem(node: Schema, value: Any, path: Path) -> Problem | None:
    wanted: tuple[str, ...]
    if node.int_or_string:
        wanted = ("integer", "string")
    elif node.format == "quantity":
        wanted = ("string", "number")
    elif node.type:
        wanted = (node.type,)
    elif node.format and formats.find(node.format) and not isinstance(value, str | list):
        wanted = (node.format,)  # without a type, in a combination: a format asks for a string
    else:
        return None
    if any(name in _TYPES and _TYPES[name](value) for name in wanted):
        return None
    message = fielderror.wrong_type(path, value, ",".join(wanted))
    return Problem(codes.WRONG_TYPE, message, path, help=_type_help(wanted, value))


def _type_help(wanted: tuple[str, ...], value: Any) -> str:
    """How to write what was probably meant: most wrong types are YAML's doing."""
    if "string" in wanted and isinstance(value, bool | int | float):
        return "quote the value, so that YAML reads it as a string"
    if isinstance(value, str) and ("integer" in wanted or "boolean" in wanted):
        text = value.strip().lower()
        if text.lstrip("-").isdecimal() or text in ("true", "false"):
            return "write the value without quotes"
    return ""


def _judge_nothing(node: Schema, value: Any, path: Path) -> Found:
    del node, value, path
    return iter(())


def _judge_object(node: Schema, value: Mapping[str, Any], path: Path) -> Found:
    if node.sizes is not NO_SIZES:
        yield from _judge_properties(node.sizes, value, path)
    for name in node.required:
        if name not in value or (value[name] is None and _null_is_absent(node, name)):
            yield Problem(codes.MISSING, fielderror.required((*path, name)), (*path, name))
    for name, item in value.items():
        schema = node.properties.get(name, node.additional)
        if schema is not None:
            yield from explain(schema, item, (*path, name))
        elif not node.open:
            at = (*path, name)
            yield Problem(codes.UNKNOWN_FIELD, fielderror.unknown_field(at), at, key=True)


def _null_is_absent(node: Schema, name: str) -> bool:
    schema = node.properties.get(name)
    return schema is not None and (schema.null_is_absent or schema.resolved().null_is_absent)


def _judge_array(node: Schema, value: list[Any], path: Path) -> Found:
    if node.items is not None:
        for index, item in enumerate(value):
            yield from explain(node.items, item, (*path, index))
    sizes = node.sizes
    if sizes is not NO_SIZES:
        if sizes.min_items is not None and len(value) < sizes.min_items:
            detail = f"{_in_body(path)} should have at least {sizes.min_items} items"
            yield _bound(path, fielderror.invalid(path, len(value), detail))
        if sizes.max_items is not None and len(value) > sizes.max_items:
            yield _bound(path, _too_many(path, len(value), sizes.max_items))
        if sizes.unique_items and _duplicates(value):
            message = fielderror.invalid(path, "", f"{_in_body(path)} shouldn't contain duplicates")
            yield Problem(codes.DUPLICATE, message, path)
    if node.merging.enforced:
        yield from _judge_list_type(node, value, path)


def _judge_list_type(node: Schema, value: list[Any], path: Path) -> Found:
    """Items of a set, and the keys of items of a map, may not repeat (apiextensions listtype)."""
    keys = node.merging.list_keys
    if node.merging.list_type == "map":
        defaults = [node.items.child(key) if node.items else None for key in keys]
        names = [
            {
                key: item.get(key, schema.default if schema is not None else None)
                for key, schema in zip(keys, defaults, strict=True)
            }
            for item in value
            if isinstance(item, dict)
        ]
        if len(names) != len(value):
            return  # the type of an item is wrong, and that was said
    elif node.merging.list_type == "set":
        names = value
    else:
        return
    for index in _duplicates(names):
        at = (*path, index)
        shown = fielderror.shown(names[index])
        yield Problem(codes.DUPLICATE, f"{path_text(at)}: Duplicate value: {shown}", at)


def _duplicates(items: list[Any]) -> list[int]:
    """The indices of items that stood in the list before."""
    found: list[int] = []
    seen: dict[str, list[Any]] = {}
    for index, item in enumerate(items):
        alike = seen.setdefault(_bucket(item), [])
        if any(same(item, other) for other in alike):
            found.append(index)
        else:
            alike.append(item)
    return found


def _bucket(item: Any) -> str:
    """Equal items share a bucket; it need not be the other way round."""
    if isinstance(item, int | float) and not isinstance(item, bool):
        return repr(float(item)) if abs(item) < 2**53 else "number"
    if isinstance(item, dict):
        return "{" + "".join(sorted(map(str, item)))
    return f"[{len(item)}" if isinstance(item, list) else repr(item)


def _judge_string(node: Schema, value: str, path: Path) -> Found:
    sizes = node.sizes
    shown = _OMITTED if node.format in _SECRET_FORMATS else value
    if sizes is not NO_SIZES:
        if sizes.max_length is not None and len(value) > sizes.max_length:
            unit = "byte" if sizes.max_length == 1 else "bytes"
            text = f"{path_text(path)}: Too long: may not be more than {sizes.max_length} {unit}"
            yield _bound(path, text)
        if sizes.min_length is not None and len(value) < sizes.min_length:
            detail = f"{_in_body(path)} should be at least {sizes.min_length} chars long"
            yield _bound(path, fielderror.invalid(path, shown, detail))
    if node.pattern:
        search = searcher(node.pattern)
        bad = f"{node.pattern}, but pattern is invalid: {search}" if isinstance(search, str) else ""
        if bad or not (callable(search) and search(value)):
            detail = f"{_in_body(path)} should match '{bad or node.pattern}'"
            yield Problem(codes.BAD_VALUE, fielderror.invalid(path, shown, detail), path)
    if node.format == "quantity":
        wrong = _quantity_problem(value)
        if wrong:
            yield Problem(codes.BAD_VALUE, fielderror.invalid(path, value, wrong), path)
    elif node.format and not node.int_or_string:
        check = formats.find(node.format)
        if check is not None and not check(value):
            detail = f"{_in_body(path)} must be of type {node.format}: {fielderror.shown(shown)}"
            yield Problem(codes.BAD_VALUE, fielderror.invalid(path, shown, detail), path)


def _quantity_problem(text: str) -> str:
    """What Kubernetes says of a text that is no quantity; blanks around it do not count."""
    from sekisho.kube import quantity

    try:
        quantity.parse(text.strip())
    except quantity.QuantityError as error:
        return str(error)
    return ""


def _judge_number(node: Schema, value: float, path: Path) -> Found:
    format = node.format
    limits = formats.INTEGERS.get(format) if node.type or node.int_or_string else None
    if limits is None and (node.type == "integer" or node.int_or_string):
        limits, format = formats.INTEGERS["int64"], "int64"
    if limits is not None and not limits[0] <= value <= limits[1]:
        detail = f"{_in_body(path)} must be of type {format}: the value is out of range"
        yield _bound(path, fielderror.invalid(path, value, detail))
        return
    if node.bounds is not NO_BOUNDS:
        for detail in _beyond(node.bounds, value):
            yield _bound(path, fielderror.invalid(path, value, f"{_in_body(path)} {detail}"))


def _beyond(bounds: Bounds, value: float) -> Iterator[str]:
    least, most, factor = bounds.minimum, bounds.maximum, bounds.multiple_of
    if factor is not None and not _is_multiple(value, factor):
        yield f"should be a multiple of {factor}"
    if most is not None:
        if bounds.exclusive_maximum and value >= most:
            yield f"should be less than {most}"
        elif value > most:
            yield f"should be less than or equal to {most}"
    if least is not None:
        if bounds.exclusive_minimum and value <= least:
            yield f"should be greater than {least}"
        elif value < least:
            yield f"should be greater than or equal to {least}"


def _is_multiple(value: float, factor: float) -> bool:
    from fractions import Fraction

    return Fraction(str(value)) % Fraction(str(factor)) == 0


def _judge_properties(sizes: Sizes, value: Mapping[str, Any], path: Path) -> Found:
    if sizes.min_properties is not None and len(value) < sizes.min_properties:
        detail = f"{_in_body(path)} should have at least {sizes.min_properties} properties"
        yield _bound(path, fielderror.invalid(path, len(value), detail))
    if sizes.max_properties is not None and len(value) > sizes.max_properties:
        yield _bound(path, _too_many(path, len(value), sizes.max_properties))


def _judge_junctors(node: Schema, value: Any, path: Path) -> Found:
    junctors, text = node.junctors, path_text(path)
    for schema in junctors.all_of:
        yield from explain(schema, value, path)
    if junctors.any_of:
        outcomes = [list(explain(schema, value, path)) for schema in junctors.any_of]
        if all(outcomes):
            yield _junctor(path, f'"{text}" must validate at least one schema (anyOf)')
            yield from min(outcomes, key=len)
    if junctors.one_of:
        outcomes = [list(explain(schema, value, path)) for schema in junctors.one_of]
        valid = sum(not problems for problems in outcomes)
        if valid != 1:
            count = "Found none valid" if valid == 0 else f"Found {valid} valid alternatives"
            yield _junctor(path, f'"{text}" must validate one and only one schema (oneOf). {count}')
            if valid == 0:
                yield from min(outcomes, key=len)
    if junctors.none_of is not None and conforms(junctors.none_of, value):
        yield _junctor(path, f'"{text}" must not validate the schema (not)')


_JUDGES: Final[Mapping[str, Callable[[Schema, Any, Path], Found]]] = {
    "object": _judge_object,
    "array": _judge_array,
    "string": _judge_string,
    "integer": _judge_number,
    "number": _judge_number,
}


def _in_body(path: Path) -> str:
    return f"{path_text(path)} in body"


def _too_many(path: Path, count: int, most: int) -> str:
    unit = "item" if most == 1 else "items"
    return f"{path_text(path)}: Too many: {count}: must have at most {most} {unit}"


def _bound(path: Path, message: str) -> Problem:
    return Problem(codes.OUT_OF_BOUNDS, message, path)


def _junctor(path: Path, detail: str) -> Problem:
    return Problem(codes.NO_ALTERNATIVE, fielderror.invalid(path, "", detail), path)
