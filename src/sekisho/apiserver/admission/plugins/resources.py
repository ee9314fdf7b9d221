"""Amounts of resources: those of containers, and what a whole Pod requests and is limited to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from sekisho.kube.quantity import Quantity, QuantityError, parse

Raw = Mapping[str, Any]
Amounts = dict[str, Quantity]

ZERO: Final = parse("0")


@lru_cache(maxsize=4_096)
def _parsed(text: str) -> Quantity:
    return parse(text)


def amount(value: Any) -> Quantity | None:
    """The quantity that a value means; None for one that means none, which the schema refuses."""
    try:
        return _parsed(str(value))
    except QuantityError:
        return None


def amounts(raw: Any) -> Amounts:
    """A list of resources by name."""
    rows = raw.items() if isinstance(raw, Mapping) else ()
    return {name: found for name, value in rows if (found := amount(value)) is not None}


def plus(*lists: Amounts) -> Amounts:
    """The sum."""
    total: Amounts = {}
    for rows in lists:
        for name, value in rows.items():
            total[name] = total[name] + value if name in total else value
    return total


def most(left: Amounts, right: Amounts) -> Amounts:
    """The larger of both, name by name."""
    return {**left, **{name: value for name, value in right.items() if value > left.get(name, ZERO)}}


def containers(spec: Raw, *lists: str) -> Iterator[Raw]:
    """The containers of a Pod's spec, of these lists."""
    for name in lists or ("containers", "initContainers"):
        yield from (row for row in spec.get(name) or () if isinstance(row, Mapping))


def pod_total(spec: Raw, field: str) -> Amounts:
    """What a Pod as a whole has of ``requests`` or ``limits`` (component-helpers ``PodRequests``,
    ``PodLimits``).

    Containers run together, and with sidecars; other init containers run alone, beside the sidecars before
    them.
    """
    total = plus(*(_own(row, field) for row in containers(spec, "containers")))
    sidecars: Amounts = {}
    before: Amounts = {}
    for row in containers(spec, "initContainers"):
        own = _own(row, field)
        if row.get("restartPolicy") == "Always":
            total, sidecars = plus(total, own), plus(sidecars, own)
            before = most(before, sidecars)
        else:
            before = most(before, plus(own, sidecars))
    total = most(total, before)
    overhead = amounts(spec.get("overhead"))
    if field == "limits":
        overhead = {name: value for name, value in overhead.items() if name in total}
    return plus(total, overhead)


def _own(container: Raw, field: str) -> Amounts:
    return amounts((container.get("resources") or {}).get(field))


def shown(rows: Amounts) -> str:
    """Amounts as messages list them."""
    return ",".join(f"{name}={rows[name]}" for name in sorted(rows))


def at_most(rows: Amounts, names: Iterable[str]) -> Amounts:
    """Those of these names."""
    wanted = set(names)
    return {name: value for name, value in rows.items() if name in wanted}
