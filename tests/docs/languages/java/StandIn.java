// Stands in for OpenTelemetry's OTLP exporters, which no package registry of the tests has: registered as they are, under the same
// name, reading the same variable, and sending the same requests in OTLP's JSON.
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.logs.ConfigurableLogRecordExporterProvider;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSpanExporterProvider;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Collection;
import java.util.stream.Collectors;

public class StandIn {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  public static class Spans implements ConfigurableSpanExporterProvider {
    public String getName() {
      return "otlp";
    }

    public SpanExporter createExporter(ConfigProperties config) {
      String url = config.getString("otel.exporter.otlp.endpoint") + "/v1/traces";
      return new SpanExporter() {
        public CompletableResultCode export(Collection<SpanData> spans) {
          return post(url, "{\"resourceSpans\":[" + spans.stream().map(Spans::written).collect(Collectors.joining(",")) + "]}");
        }

        public CompletableResultCode flush() {
          return CompletableResultCode.ofSuccess();
        }

        public CompletableResultCode shutdown() {
          return CompletableResultCode.ofSuccess();
        }
      };
    }

    private static String written(SpanData span) {
      return "{\"resource\":{\"attributes\":" + pairs(span.getResource().getAttributes()) + "},\"scopeSpans\":[{\"spans\":[{"
          + "\"traceId\":\"" + span.getTraceId() + "\",\"spanId\":\"" + span.getSpanId() + "\",\"name\":\"" + span.getName()
          + "\",\"startTimeUnixNano\":\"" + span.getStartEpochNanos() + "\",\"endTimeUnixNano\":\"" + span.getEndEpochNanos()
          + "\",\"attributes\":" + pairs(span.getAttributes()) + "}]}]}";
    }
  }

  public static class Logs implements ConfigurableLogRecordExporterProvider {
    public String getName() {
      return "otlp";
    }

    public LogRecordExporter createExporter(ConfigProperties config) {
      String url = config.getString("otel.exporter.otlp.endpoint") + "/v1/logs";
      return new LogRecordExporter() {
        public CompletableResultCode export(Collection<LogRecordData> records) {
          return post(url, "{\"resourceLogs\":[" + records.stream().map(Logs::written).collect(Collectors.joining(",")) + "]}");
        }

        public CompletableResultCode flush() {
          return CompletableResultCode.ofSuccess();
        }

        public CompletableResultCode shutdown() {
          return CompletableResultCode.ofSuccess();
        }
      };
    }

    private static String written(LogRecordData record) {
      return "{\"resource\":{\"attributes\":" + pairs(record.getResource().getAttributes()) + "},\"scopeLogs\":[{\"logRecords\":[{"
          + "\"timeUnixNano\":\"" + record.getTimestampEpochNanos() + "\",\"observedTimeUnixNano\":\""
          + record.getObservedTimestampEpochNanos() + "\",\"eventName\":\"" + record.getEventName() + "\",\"attributes\":"
          + pairs(record.getAttributes()) + "}]}]}";
    }
  }

  private static CompletableResultCode post(String url, String body) {
    HttpRequest request = HttpRequest.newBuilder(URI.create(url)).header("content-type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body)).build();
    try {
      int status = CLIENT.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      return status == 200 ? CompletableResultCode.ofSuccess() : CompletableResultCode.ofFailure();
    } catch (Exception error) {
      return CompletableResultCode.ofExceptionalFailure(error);
    }
  }

  private static String pairs(Attributes attributes) {
    return attributes.asMap().entrySet().stream().map(each -> {
      String value = each.getValue().toString();
      String written = switch (each.getKey().getType()) {
        case LONG -> "{\"intValue\":\"" + value + "\"}";
        case DOUBLE -> "{\"doubleValue\":" + value + "}";
        default -> "{\"stringValue\":\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"}";
      };
      return "{\"key\":\"" + each.getKey().getKey() + "\",\"value\":" + written + "}";
    }).collect(Collectors.joining(",", "[", "]"));
  }
}
