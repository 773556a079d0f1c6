"""Fails within a span of OpenTelemetry, and logs that."""
import logging
import os

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from shop.cart import total

resource = Resource.create({
    "service.name": "shop",
    "vcs.ref.head.revision": os.environ["REVISION"],
    "deployment.environment.name": "production",
})
traces = TracerProvider(resource=resource)
traces.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(traces)
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter()))
set_logger_provider(logs)
logging.getLogger("shop").addHandler(LoggingHandler(logger_provider=logs))
tracer = trace.get_tracer("shop")
try:
    with tracer.start_as_current_span("checkout"):
        with tracer.start_as_current_span("price"):
            try:
                total([])
            except ZeroDivisionError:
                logging.getLogger("shop").exception("the cart has no price")
                raise
except ZeroDivisionError:
    pass
traces.shutdown()
logs.shutdown()
