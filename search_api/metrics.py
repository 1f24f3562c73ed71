"""What the service did, as Prometheus reads it. Several processes write to one folder."""

import os
from collections.abc import Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.responses import Response

from corpus.errors import IcsearchError
from search_api.serving import Serving

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of the folder that several processes write to."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Metrics:
    """Counts requests, and tells of the index that is served."""

    def __init__(self, serving: Serving) -> None:
        """Nothing is counted yet."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "icsearch_requests_total",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "icsearch_request_seconds",
            "Seconds that answering took.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._index = Index(serving)
        self._registry.register(self._index)
        ProcessCollector(registry=self._registry)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        # A client may send any word for a method; each would be kept for ever.
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def answer(self) -> Response:
        """Everything in Prometheus's text format."""
        registry = self._registry
        if FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            registry.register(self._index)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class Index(Collector):
    """The index that is served now."""

    def __init__(self, serving: Serving) -> None:
        """Look at what is served whenever asked."""
        self._serving = serving

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Whether there is one, which, and how large."""
        ready = GaugeMetricFamily("icsearch_ready", "1 if questions can be answered.")
        try:
            manifest = self._serving.searcher().store.manifest
        except IcsearchError:
            ready.add_metric((), 0)
            yield ready
            return
        ready.add_metric((), 1)
        yield ready
        info = GaugeMetricFamily("icsearch_index", "The index served.", labels=("index_id",))
        info.add_metric((manifest.index_id,), 1)
        yield info
        yield GaugeMetricFamily("icsearch_passages", "Passages indexed.", manifest.passages)
        yield GaugeMetricFamily("icsearch_documents", "Documents.", len(manifest.documents))
