// Sends spans and log records with Node's stock exporters.
// node send.cjs grpc|http/protobuf|http/json ENDPOINT gzip|none COUNT     (NODE_PATH names the folder of packages)
'use strict';

const { SpanKind, context, trace } = require('@opentelemetry/api');
const { SeverityNumber } = require('@opentelemetry/api-logs');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { LoggerProvider, BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs');
const { TracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace');

const [protocol, endpoint, compression, count] = process.argv.slice(2);
const packageOf = { 'grpc': 'grpc', 'http/protobuf': 'proto', 'http/json': 'http' }[protocol];
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${packageOf}`);
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${packageOf}`);

const path = (signal) => (protocol === 'grpc' ? endpoint : `${endpoint}/v1/${signal}`);
const resource = resourceFromAttributes({ 'service.name': 'node-service' });
let failed = 0;

// The SDK swallows what an exporter reports; here it is the result.
function watched(exporter) {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) => send(items, (result) => {
    if (result.code !== 0) {
      failed += 1;
      console.error(result.error);
    }
    done(result);
  });
  return exporter;
}

async function main() {
  const spans = new BatchSpanProcessor({
    exporter: watched(new OTLPTraceExporter({ url: path('traces'), compression })),
  });
  const logs = new BatchLogRecordProcessor({
    exporter: watched(new OTLPLogExporter({ url: path('logs'), compression })),
  });
  const tracer = new TracerProvider({ resource, spanProcessors: [spans] }).getTracer('node-tests', '1.2.3');
  const logger = new LoggerProvider({ resource, processors: [logs] }).getLogger('node-tests');
  for (let index = 0; index < Number(count); index += 1) {
    const span = tracer.startSpan('predict', {
      kind: SpanKind.CLIENT,
      attributes: {
        'tocsin.use_case': 'node-triage', 'tocsin.input.number': index, 'tocsin.input.half': index + 0.5,
        'flag': true, 'words': ['ä', 'b'], 'tocsin.confidence': 0.75,
      },
    });
    span.addEvent('thought', { deep: 1 });
    logger.emit({
      severityNumber: SeverityNumber.INFO,
      severityText: 'INFO',
      body: { said: ['hello', index] },
      eventName: 'gen_ai.client.inference.operation.details',
      attributes: { number: index },
      context: trace.setSpan(context.active(), span),
    });
    span.end();
  }
  await spans.forceFlush();
  await logs.forceFlush();
  await spans.shutdown();
  await logs.shutdown();
  process.exitCode = failed ? 1 : 0;
}

main();
