"""Metrics for Prometheus.

Requests are counted here; everything else is read from the ledger when the metrics are requested, so it includes what was
issued or refused through other interfaces, such as the command line.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import prometheus_client
from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from smki.clock import to_seconds
from smki.home.smki import Smki
from smki.sec.role import CertificateKind
from smki_repository.options import SHARED_COUNTS

METRICS = "/metrics"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

_REQUESTS = prometheus_client.Counter("smki_http_requests_total", "Requests answered.", ["method", "route", "status"])
_LATENCY = Histogram("smki_http_request_seconds", "Seconds from a request to its answer.", ["route"], buckets=_SECONDS)

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def count_requests(app: Flask, smki: Smki) -> None:
    """Count the application's requests, and serve the metrics at ``/metrics``."""
    ledger_collector = _LedgerCollector(smki)

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def count_response(response: Response) -> Response:
        # The route, not the path, because there are as many paths as certificates.
        route = request.url_rule.rule if request.url_rule is not None else "none"
        method = request.method if request.method in _METHODS else "other"
        count(method, route, response.status_code, time.perf_counter() - g.began)
        return response

    @app.get(METRICS)
    def metrics() -> Response:
        registry = CollectorRegistry()
        shared = os.environ.get(SHARED_COUNTS)
        if shared and Path(shared).is_dir():
            MultiProcessCollector(registry, shared)  # type: ignore[no-untyped-call]
        else:
            registry.register(_REQUESTS)
            registry.register(_LATENCY)
        registry.register(ledger_collector)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request."""
    count_one, observe = _counters(method, route, status)
    count_one()
    observe(seconds)


@cache
def _counters(method: str, route: str, status: int) -> tuple[Callable[[], None], Callable[[float], None]]:
    # There are few combinations, and looking up the labels takes longer than counting.
    return _REQUESTS.labels(method, route, status).inc, _LATENCY.labels(route).observe


class _LedgerCollector(Collector):
    """Collects certificates by kind and status, refusals by code, and the age of revocation lists from the ledger."""

    def __init__(self, smki: Smki) -> None:
        self._smki = smki

    def collect(self) -> Iterator[Metric]:
        """Yield the current metrics."""
        found = self._smki.ledger.search.statistics(to_seconds(self._smki.clock.now()))
        certificates = GaugeMetricFamily("smki_certificates", "Certificates in the ledger.", labels=["kind", "status"])
        numbers: Counter[tuple[str, str]] = Counter()
        for group, number in found.certificates.items():
            numbers[group.kind.value, group.status.value] += number
        for labels, number in numbers.items():
            certificates.add_metric(labels, number)
        issued = CounterMetricFamily("smki_certificates_issued", "Certificates issued.", labels=["kind"])
        for kind in CertificateKind:
            ever = sum(number for group, number in found.certificates.items() if group.kind is kind)
            issued.add_metric([kind.value], ever)
        refused = CounterMetricFamily(
            "smki_applications_refused", "Applications refused, by the code of the deciding reason.", labels=["code"]
        )
        for code, number in found.refusals.items():
            refused.add_metric([code], number)
        yield from (certificates, issued, refused)
        yield from self._lists()

    def _lists(self) -> Iterator[Metric]:
        now = self._smki.clock.now()
        age = GaugeMetricFamily(
            "smki_revocation_list_age_seconds", "Seconds since thisUpdate.", labels=["kind", "issuer"]
        )
        left = GaugeMetricFamily(
            "smki_revocation_list_left_seconds", "Seconds until nextUpdate.", labels=["kind", "issuer"]
        )
        entries = GaugeMetricFamily("smki_revocation_list_entries", "Entries in the list.", labels=["kind", "issuer"])
        for lists in self._smki.all_lists():
            latest = lists.latest()
            if latest is not None:
                labels = [lists.policy.profile.name, lists.issuer_name]
                age.add_metric(labels, (now - latest.this_update).total_seconds())
                left.add_metric(labels, (latest.next_update - now).total_seconds())
                entries.add_metric(labels, latest.entries)
        yield from (age, left, entries)
