"""Traces for a collector, where one is configured; the exporter is imported only then."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi.telemetry import TelemetryConfig

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_QUERY = "url.query"


def telemetry(endpoint: str | None) -> tuple[TelemetryConfig, Callable[[], None]]:
    """Return FastAPI's telemetry settings, and what to call at the end.

    The exporter reads the standard OTEL_ variables itself; `endpoint` only says whether to.
    """
    config: TelemetryConfig = {
        "tracing": endpoint is not None,
        "metrics": False,
        "logs": False,  # they would carry the messages of exceptions
        "operation_spans": False,
        "auto_configure": False,
    }
    if endpoint is None:
        return config, _nothing
    provider = _provider()
    return {**config, "tracer_provider": provider}, provider.shutdown


def _provider() -> "TracerProvider":
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    class WithoutValues(SpanProcessor):
        """Takes the question of a GET out of its span: it holds values."""

        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            if span.attributes and _QUERY in span.attributes:
                span.set_attribute(_QUERY, "REDACTED")

    named = Resource({SERVICE_NAME: "martlet"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named)
    provider.add_span_processor(WithoutValues())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _nothing() -> None:
    return None
