// Fails within a span of OpenTelemetry.
const { trace, SpanStatusCode } = require('@opentelemetry/api');
const { NodeSDK, tracing } = require('@opentelemetry/sdk-node');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { total } = require('./shop/cart.js');

const exporter = new OTLPTraceExporter();
const sdk = new NodeSDK({ spanProcessors: [new tracing.SimpleSpanProcessor(exporter)], instrumentations: [] });
sdk.start();
trace.getTracer('shop').startActiveSpan('price', async (span) => {
  try {
    total(undefined);
  } catch (error) {
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
  await sdk.shutdown();
});
