"""Values as Go prints them in messages (``%#v``), where users know them so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sekisho.apiserver.status import Cause
from sekisho.kube.quantity import QuantityError, parse
from sekisho.lang.golang.gotext import quote


def shown_as(at: str, printed: str, detail: str) -> Cause:
    """A value that is malformed, printed by Go."""
    return Cause(reason="FieldValueInvalid", message=f"Invalid value: {printed}: {detail}", field=at)


def strings(values: Sequence[Any], type: str = "string") -> str:
    """A list of texts."""
    return f"[]{type}{{{', '.join(quote(str(row)) for row in values)}}}" if values else f"[]{type}(nil)"


def labels(value: Any) -> str:
    """A map of labels."""
    if not isinstance(value, Mapping):
        return "map[string]string(nil)"
    return f"map[string]string{{{', '.join(f'{quote(k)}:{quote(str(value[k]))}' for k in sorted(value))}}}"


def selector(value: Any) -> str:
    """A LabelSelector."""
    raw = value if isinstance(value, Mapping) else {}
    rows = raw.get("matchExpressions") or ()
    printed = "[]v1.LabelSelectorRequirement(nil)"
    if rows:
        found = ", ".join(
            f"v1.LabelSelectorRequirement{{Key:{quote(str(row.get('key', '')))}, "
            f"Operator:{quote(str(row.get('operator', '')))}, Values:{strings(row.get('values') or ())}}}"
            for row in rows
        )
        printed = f"[]v1.LabelSelectorRequirement{{{found}}}"
    return f"v1.LabelSelector{{MatchLabels:{labels(raw.get('matchLabels'))}, MatchExpressions:{printed}}}"


def int_or_string(value: Any) -> str:
    """A number or a text."""
    if isinstance(value, str):
        return f"intstr.IntOrString{{Type:1, IntVal:0, StrVal:{quote(value)}}}"
    return f'intstr.IntOrString{{Type:0, IntVal:{value or 0}, StrVal:""}}'


def quantity(value: Any) -> str:
    """A quantity."""
    text = str(value)
    try:
        found = parse(text)
    except QuantityError:
        return quote(text)
    number, scale = found.value, 0
    while number.denominator != 1 and scale > -9:
        number, scale = number * 10, scale - 1
    kept = text if number.denominator == 1 and scale == 0 else ""
    form = found.format.value
    return (
        f"resource.Quantity{{i:resource.int64Amount{{value:{int(number)}, scale:{scale}}}, "
        f'd:resource.infDecAmount{{Dec:(*inf.Dec)(nil)}}, s:{quote(kept)}, Format:"{form}"}}'
    )
