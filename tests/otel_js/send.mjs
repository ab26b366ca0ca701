// Sends a counted number of spans, metric points and log records through one of OpenTelemetry JS's OTLP exporters.
// Usage: node send.mjs PROTOCOL BASE COUNT [gzip], where PROTOCOL is http (JSON), proto or grpc and BASE a URL.
import { ROOT_CONTEXT, SeverityNumber, SpanKind, trace } from "@opentelemetry/api";
import { LoggerProvider, BatchLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { resourceFromAttributes } from "@opentelemetry/resources";

const [protocol, base, count, compression = "none"] = process.argv.slice(2);
const total = Number(count);

async function exporter(signal, name) {
  const module = await import(`@opentelemetry/exporter-${signal}-otlp-${protocol}`);
  const path = { trace: "traces", metrics: "metrics", logs: "logs" }[signal];
  const url = protocol === "grpc" ? base : `${base}/v1/${path}`;
  return new module[name]({ url, compression });
}

const resource = resourceFromAttributes({
  "service.name": "node-shop",
  "service.version": "1.2.3",
  "deployment.environment.name": "prod",
});
const queue = { maxQueueSize: total + 1, maxExportBatchSize: 500, scheduledDelayMillis: 60_000 };

const tracers = new TracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor({ exporter: await exporter("trace", "OTLPTraceExporter"), ...queue })],
});
const tracer = tracers.getTracer("test");
for (let number = 0; number < total; number++) {
  // A remote parent: flags say 257, sampled and known to be remote.
  const remote = { traceId: (number + 1).toString(16).padStart(32, "0"), spanId: "b".repeat(16), traceFlags: 1, isRemote: true };
  const span = tracer.startSpan(
    "GET /",
    { kind: SpanKind.SERVER, attributes: { "http.route": "/", large: 2 ** 60, fraction: 0.5, beyond: 1e300 } },
    trace.setSpanContext(ROOT_CONTEXT, remote),
  );
  if (number % 10 === 0) span.setStatus({ code: 2, message: "no" });
  span.end();
}

const meters = new MeterProvider({
  resource,
  readers: [
    new PeriodicExportingMetricReader({
      exporter: await exporter("metrics", "OTLPMetricExporter"),
      exportIntervalMillis: 3_600_000,
    }),
  ],
});
const gauge = meters.getMeter("test").createGauge("queue.depth", { unit: "{item}" });
for (let number = 0; number < total; number++) gauge.record(2 ** 60 + number, { number });

const loggers = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: await exporter("logs", "OTLPLogExporter"), ...queue })],
});
const logger = loggers.getLogger("test");
for (let number = 0; number < total; number++) {
  logger.emit({ severityNumber: SeverityNumber.ERROR, body: "out of stock", attributes: { "exception.type": "StockError" } });
}

await Promise.all([tracers.shutdown(), meters.shutdown(), loggers.shutdown()]);
