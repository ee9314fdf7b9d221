"""Label selectors, selectors written as text, field selectors, and Gatekeeper's wildcards.

A selector is checked once, when it is made; matching is a few dictionary look-ups. Texts of errors are
those of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sekisho.diag import Diagnostic, DiagnosticError, ObjectPath, Path
from sekisho.kube import codes, fielderror
from sekisho.kube.names import label_key, label_value

Labels = Mapping[str, str]


class Operator(Enum):
    """How a requirement compares a label. ``value`` is the spelling of Kubernetes' own text form."""

    IN = "in"
    NOT_IN = "notin"
    EQUALS = "="
    DOUBLE_EQUALS = "=="
    NOT_EQUALS = "!="
    EXISTS = "exists"
    DOES_NOT_EXIST = "!"
    GREATER_THAN = "gt"
    LESS_THAN = "lt"


_POSITIVE: Final = (Operator.IN, Operator.EQUALS, Operator.DOUBLE_EQUALS)
_NEGATIVE: Final = (Operator.NOT_IN, Operator.NOT_EQUALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One condition on one label. ``values`` is sorted and without repetition."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether these labels meet it. An absent label meets NotIn, != and DoesNotExist only."""
        value, operator = labels.get(self.key), self.operator
        if operator in _POSITIVE:
            return value is not None and value in self.values
        if operator in _NEGATIVE:
            return value is None or value not in self.values
        if operator is Operator.EXISTS:
            return self.key in labels
        if operator is Operator.DOES_NOT_EXIST:
            return self.key not in labels
        return value is not None and self._compares(value)

    def _compares(self, value: str) -> bool:
        left, right = parse_int64(value), parse_int64(self.values[0])
        if left is None or right is None:
            return False
        return left > right if self.operator is Operator.GREATER_THAN else left < right

    def __str__(self) -> str:
        match self.operator:
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"
            case Operator.IN | Operator.NOT_IN:
                return f"{self.key} {self.operator.value} ({','.join(self.values)})"
            case Operator.GREATER_THAN:
                return f"{self.key}>{self.values[0]}"
            case Operator.LESS_THAN:
                return f"{self.key}<{self.values[0]}"
            case _:
                return f"{self.key}{self.operator.value}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements must hold; without any, everything matches."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether these labels are selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


EVERYTHING: Final = Selector()

_OPERATORS: Final = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}

_INT64_MAX: Final = 2**63 - 1


def parse_int64(text: str) -> int | None:
    """A decimal integer as Go's ParseInt reads it, None if it is none or does not fit into 64 bits."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits.isascii() or not digits.isdigit() or len(digits) > 40:
        return None
    value = int(text)
    return value if -_INT64_MAX - 1 <= value <= _INT64_MAX else None


def label_selector(raw: Mapping[str, Any] | None, at: ObjectPath | None = None) -> Selector:
    """The selector that a LabelSelector object (matchLabels, matchExpressions) means.

    An empty one selects everything. None does so too: fields that select nothing when absent must say so
    themselves. Raises DiagnosticError (KUB010), with all that is wrong, at the fields below ``at``.
    """
    if raw is None:
        return EVERYTHING
    base = at.path if at else ()
    problems = tuple(label_selector_problems(raw, base))
    if problems:
        raise DiagnosticError([_problem(path, message, at) for path, message in problems])
    found = [
        Requirement(key=key, operator=Operator.EQUALS, values=(value,))
        for key, value in (raw.get("matchLabels") or {}).items()
    ]
    found += [
        Requirement(
            key=row["key"],
            operator=_OPERATORS[row["operator"]],
            values=tuple(sorted(set(row.get("values") or ()))),
        )
        for row in raw.get("matchExpressions") or ()
    ]
    return Selector(tuple(sorted(found, key=lambda requirement: requirement.key)))


def _problem(path: Path, message: str, at: ObjectPath | None) -> Diagnostic:
    place = ObjectPath(ref=at.ref, path=path, origin=at.origin) if at else None
    return Diagnostic(code=codes.BAD_LABEL_SELECTOR, message=message, at=place)


def label_selector_problems(raw: Any, base: Path = ()) -> Iterable[tuple[Path, str]]:
    """What is wrong with a LabelSelector object: path and message, as the API server would say it."""
    if not isinstance(raw, Mapping):
        yield base, fielderror.wrong_type(base, raw, "object")
        return
    for field in raw:
        if field not in ("matchLabels", "matchExpressions"):
            yield (*base, field), fielderror.unknown_field((*base, field))
    yield from _match_labels_problems(raw.get("matchLabels"), (*base, "matchLabels"))
    rows, path = raw.get("matchExpressions"), (*base, "matchExpressions")
    if rows is None:
        return
    if not isinstance(rows, list):
        yield path, fielderror.wrong_type(path, rows, "array")
        return
    for index, row in enumerate(rows):
        yield from _expression_problems(row, (*path, index))


def _match_labels_problems(raw: Any, path: Path) -> Iterable[tuple[Path, str]]:
    if raw is None:
        return
    if not isinstance(raw, Mapping):
        yield path, fielderror.wrong_type(path, raw, "object")
        return
    for key, value in raw.items():
        here = (*path, key)
        for message in label_key(key):
            yield here, fielderror.invalid(path, key, message)
        if not isinstance(value, str):
            yield here, fielderror.wrong_type(here, value, "string")
            continue
        for message in label_value(value):
            yield here, fielderror.invalid(path, value, message)


def _expression_problems(row: Any, path: Path) -> Iterable[tuple[Path, str]]:
    if not isinstance(row, Mapping):
        yield path, fielderror.wrong_type(path, row, "object")
        return
    for field in row:
        if field not in ("key", "operator", "values"):
            yield (*path, field), fielderror.unknown_field((*path, field))
    key, operator, values = row.get("key", ""), row.get("operator", ""), row.get("values")
    if not isinstance(values, list | None):
        yield (*path, "values"), fielderror.wrong_type((*path, "values"), values, "array")
        values = []
    yield from _operator_problems(operator, values or [], path)
    here = (*path, "key")
    if not isinstance(key, str):
        yield here, fielderror.wrong_type(here, key, "string")
    else:
        for message in label_key(key):
            yield here, fielderror.invalid(here, key, message)
    for index, value in enumerate(values or []):
        here = (*path, "values", index)
        if not isinstance(value, str):
            yield here, fielderror.wrong_type(here, value, "string")
            continue
        for message in label_value(value):
            yield here, fielderror.invalid(here, value, message)


def _operator_problems(operator: Any, values: list[Any], path: Path) -> Iterable[tuple[Path, str]]:
    here = (*path, "values")
    if operator in ("In", "NotIn"):
        if not values:
            detail = "must be specified when `operator` is 'In' or 'NotIn'"
            yield here, fielderror.required(here, detail)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield here, fielderror.forbidden(here, detail)
    else:
        here = (*path, "operator")
        yield here, fielderror.invalid(here, operator, "not a valid selector operator")


def wildcard_matches(pattern: str, candidate: str) -> bool:
    """Gatekeeper's wildcards: ``x`` is exact, ``x*`` a prefix, ``*x`` a suffix, ``*x*`` contained."""
    starts, ends = pattern.startswith("*"), pattern.endswith("*")
    if starts and ends:
        return pattern[1:].removesuffix("*") in candidate
    if starts:
        return candidate.endswith(pattern[1:])
    if ends:
        return candidate.startswith(pattern[:-1])
    return pattern == candidate


def wildcard_matches_generate_name(pattern: str, prefix: str) -> bool:
    """The same for ``generateName``: only prefix and contains patterns can say something about it."""
    return pattern.endswith("*") and wildcard_matches(pattern, prefix)


def any_wildcard(patterns: Iterable[str], candidate: str) -> bool:
    """Whether one of the patterns matches."""
    return any(wildcard_matches(pattern, candidate) for pattern in patterns)
