"""Figures in the text form of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from sekisho.admission.figures import FAMILIES, Family, Figures, Labels, Series

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Gauge(NamedTuple):
    """What stands at this moment: what it is, and its values by labels."""

    help: str
    labels: tuple[str, ...]
    rows: Mapping[Labels, float]


Gauges = Callable[[], Mapping[str, Gauge]]
"""The gauges by name."""


class Exposition:
    """What a scrape gets. ``gauges`` are asked at each one."""

    def __init__(self, figures: Figures, gauges: Gauges) -> None:
        self._figures = figures
        self._gauges = gauges

    def text(self) -> bytes:
        """The metrics of this moment."""
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """The metrics, as the client library asks for them."""
        for name, family in FAMILIES.items():
            rows = self._figures.rows.get(name, {})
            yield _histogram(family, rows) if family.bounds else _counter(family, rows)
        for name, gauge in self._gauges().items():
            yield _gauge(name, gauge)


def _counter(family: Family, rows: Mapping[Labels, Series]) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    found = CounterMetricFamily(family.name, family.help, labels=family.labels)
    for labels, series in rows.items():
        found.add_metric(labels, series.count)
    return found


def _histogram(family: Family, rows: Mapping[Labels, Series]) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    found = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels, series in rows.items():
        up_to, buckets = 0, list[tuple[str, float]]()
        for bound, count in zip((*family.bounds, float("inf")), series.buckets, strict=True):
            up_to += count
            buckets.append(("+Inf" if bound == float("inf") else f"{bound:g}", up_to))
        found.add_metric(labels, buckets, series.total)
    return found


def _gauge(name: str, gauge: Gauge) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    found = GaugeMetricFamily(name, gauge.help, labels=gauge.labels)
    for labels, number in gauge.rows.items():
        found.add_metric(labels, number)
    return found
