"""What one server counts: nothing in a label names a tenant, a key or a value."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from martlet.marts.following import Following
from martlet.marts.store import MartStore

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_FOLLOWED: Mapping[str, tuple[str, Callable[[Following], float]]] = {
    "reachable": ("1 where the store answered last.", lambda f: f.unreachable_since is None),
    "tenants_behind": ("Tenants whose newest version could not be had.", lambda f: len(f.behind)),
    "copies_bytes": ("Bytes of copies, as of the last one that came.", lambda f: f.kept_bytes),
}
_COUNTED: Mapping[str, tuple[str, Callable[[Following], float]]] = {
    "failures": (
        "Times that the store failed, or gave something else.",
        lambda f: f.failures,
    ),
    "fetched": ("Versions that were fetched.", lambda f: f.fetched),
    "fetched_bytes": ("Bytes of versions that were fetched.", lambda f: f.fetched_bytes),
}
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "martlet_http_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "martlet_http_request_seconds",
            "Seconds from a request's head to its last byte.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._bytes = Counter(
            "martlet_http_response_bytes",
            "Bytes of bodies that were sent.",
            ("route",),
            registry=self.registry,
        )
        self._problems = Counter(
            "martlet_http_problems",
            "Errors that were answered, by their code.",
            ("code",),
            registry=self.registry,
        )
        self.queries_running = Gauge(
            "martlet_queries_running", "Places for queries that are taken.", registry=self.registry
        )
        self.query_places = Gauge(
            "martlet_query_places", "Places for queries that there are.", registry=self.registry
        )
        self.open_tenants = Gauge(
            "martlet_open_tenants", "Tenants whose marts are open.", registry=self.registry
        )

    def follow(self, stores: Mapping[str, MartStore]) -> None:
        """Tell how it goes with the stores that folders here follow."""
        self.registry.register(_Followed(stores))

    def answered(
        self, method: str, route: str, status: int, seconds: float, sent: int, problem: str | None
    ) -> None:
        """Count one request."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
        self._bytes.labels(route).inc(sent)
        if problem:
            self._problems.labels(problem).inc()

    def exposition(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)


class _Followed(Collector):
    """Reads at each exposition what following has come to."""

    def __init__(self, stores: Mapping[str, MartStore]) -> None:
        self._stores = stores

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        told = {part: store.following for part, store in self._stores.items()}
        for family, metrics in ((GaugeMetricFamily, _FOLLOWED), (CounterMetricFamily, _COUNTED)):
            for name, (help_, read) in metrics.items():
                metric = family(f"martlet_store_{name}", help_, labels=("part",))
                for part, following in told.items():
                    if following:
                        metric.add_metric((part,), float(read(following)))
                yield metric
