"""What one server counts: nothing in a label names a tenant, a key or a value."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
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
