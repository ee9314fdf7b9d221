"""Algebra of kube against plain second implementations."""

from __future__ import annotations

import contextlib
import copy
import re
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.diag import DiagnosticError
from sekisho.kube import patch
from sekisho.kube.quantity import QuantityError, parse
from sekisho.kube.selectors import label_selector, label_selector_problems, wildcard_matches
from sekisho.kube.selectortext import parse_field_selector, parse_selector

SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(1000),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
    "Ki": Fraction(1024),
    "Mi": Fraction(1024**2),
    "Gi": Fraction(1024**3),
    "Ti": Fraction(1024**4),
    "Pi": Fraction(1024**5),
    "Ei": Fraction(1024**6),
    **{f"e{n}": Fraction(10) ** n for n in range(-12, 25)},
}

numbers = st.from_regex(r"\A[+-]?[0-9]{1,22}(\.[0-9]{0,12})?\Z")
quantities = st.tuples(numbers, st.sampled_from(sorted(SUFFIXES)))


def plain(number: str, suffix: str) -> Fraction:
    """The amount by schoolbook: rounded away from zero to nanounits, capped if binary."""
    exact = Fraction(number.rstrip(".")) * SUFFIXES[suffix]
    nanos = -(-abs(exact) * 10**9 // 1)
    amount = Fraction(nanos, 10**9)
    if suffix.endswith("i"):
        amount = min(amount, Fraction(2**63 - 1))
    return -amount if exact < 0 else amount


@given(quantities)
def test_quantities_are_exact(pair: tuple[str, str]) -> None:
    assert parse("".join(pair)).value == plain(*pair)


@given(quantities)
def test_the_canonical_form_means_the_same_and_is_its_own(pair: tuple[str, str]) -> None:
    quantity = parse("".join(pair))
    canonical = quantity.canonical()
    if abs(quantity.value) < 2**63:
        assert parse(canonical) == quantity
        assert parse(canonical).canonical() == canonical
    assert "." not in canonical


@given(quantities, quantities)
def test_comparison_and_sums_are_those_of_fractions(one: tuple[str, str], two: tuple[str, str]) -> None:
    left, right = parse("".join(one)), parse("".join(two))
    assert (left < right) == (left.value < right.value)
    assert (left == right) == (left.value == right.value)
    assert (left + right).value == left.value + right.value
    assert (left - right).value == left.value - right.value


@given(st.text(alphabet="0123456789.+-eEinumkKMGTPB ", max_size=12))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    try:
        quantity = parse(text)
    except QuantityError:
        return
    assert str(quantity)


words = st.sampled_from(["a", "b", "c", "x.y/z", "A_b", ""])
values = st.sampled_from(["", "a", "b", "c", "1"])
labels = st.dictionaries(words.filter(bool), values, max_size=4)
expressions = st.fixed_dictionaries(
    {
        "key": words,
        "operator": st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist", "Nope"]),
        "values": st.lists(values, max_size=3),
    }
)
selectors = st.fixed_dictionaries(
    {}, optional={"matchLabels": labels, "matchExpressions": st.lists(expressions, max_size=3)}
)


def naive(selector: dict[str, Any], given_labels: dict[str, str]) -> bool:
    """Label selection straight from the documentation."""
    rows = [
        *({"key": k, "operator": "In", "values": [v]} for k, v in selector.get("matchLabels", {}).items()),
        *selector.get("matchExpressions", []),
    ]
    for row in rows:
        has, listed = row["key"] in given_labels, given_labels.get(row["key"]) in row["values"]
        ok = {"In": has and listed, "NotIn": not (has and listed), "Exists": has, "DoesNotExist": not has}
        if not ok[row["operator"]]:
            return False
    return True


@given(selectors, labels)
def test_label_selectors(selector: dict[str, Any], given_labels: dict[str, str]) -> None:
    if list(label_selector_problems(selector)):
        return
    parsed = label_selector(selector)
    assert parsed.matches(given_labels) is naive(selector, given_labels)
    # Its text means the same.
    assert parse_selector(str(parsed)).matches(given_labels) is parsed.matches(given_labels)


@given(st.text(alphabet="ab-=!(),<> in\\notin/.", max_size=16), labels)
def test_any_text_is_a_selector_or_refused(text: str, given_labels: dict[str, str]) -> None:
    for parse_text in (parse_selector, parse_field_selector):
        try:
            selector = parse_text(text)
        except DiagnosticError:
            continue
        # Printing and parsing again changes nothing.
        assert str(parse_text(str(selector))) == str(selector)


@given(st.text(alphabet="ab*", max_size=5), st.text(alphabet="ab", max_size=5))
def test_wildcards(pattern: str, candidate: str) -> None:
    inner = pattern.removeprefix("*").removesuffix("*") if pattern != "*" else ""
    starts, ends = pattern.startswith("*"), pattern.endswith("*")
    form = f"{'.*' if starts else ''}{re.escape(inner)}{'.*' if ends else ''}"
    assert wildcard_matches(pattern, candidate) is bool(re.fullmatch(form, candidate, re.DOTALL))


scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, "", "a", "a/b", "~"])
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "a/b", "m~n", "", "0"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(left: Any, right: Any) -> bool:
    """Equal down to the types: ``1`` is neither ``True`` nor ``1.0``."""
    return repr(left) == repr(right) if not isinstance(left, dict | list) else same_container(left, right)


def same_container(left: Any, right: Any) -> bool:
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(same(left[k], right[k]) for k in left)
        )
    return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))


@settings(max_examples=300)
@given(json_values, json_values)
def test_a_json_patch_leads_from_old_to_new(old: Any, new: Any) -> None:
    before = copy.deepcopy((old, new))
    operations = patch.create(old, new)
    assert same(patch.apply(old, operations), new)
    assert same(list(before), [old, new])
    assert (operations == []) == same(old, new)


@given(json_values, json_values)
def test_a_merge_patch_leads_from_old_to_new(old: Any, new: Any) -> None:
    if contains_null(new):
        return
    assert same(patch.merge(old, patch.create_merge(old, new)), new)


def contains_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(contains_null, value.values()))
    if isinstance(value, list):
        return any(map(contains_null, value))
    return value is None


operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"])},
    optional={
        "path": st.sampled_from(["", "/a", "/b", "/a/b", "/0", "/a/0", "/a/-", "/a~1b", "x"]),
        "from": st.sampled_from(["", "/a", "/b", "/a/b", "/0", "/a/0"]),
        "value": json_values,
    },
)


@given(json_values, st.lists(operations, max_size=6))
def test_any_patch_applies_or_is_refused_and_changes_nothing_given(
    value: Any, steps: list[dict[str, Any]]
) -> None:
    before = copy.deepcopy((value, steps))
    with contextlib.suppress(DiagnosticError):
        patch.apply(value, steps)
    assert same(list(before), [value, steps])
