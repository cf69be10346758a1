// Package otlptracehttp stands in for OpenTelemetry's exporter of this name, which no package registry of the tests has: the
// same constructor, reading the same variable, and the same request in OTLP's JSON.
package otlptracehttp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

type exporter struct{ url string }

// New makes an exporter to the endpoint of the environment.
func New(context.Context) (sdktrace.SpanExporter, error) {
	return exporter{os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") + "/v1/traces"}, nil
}

func (exporter) Shutdown(context.Context) error { return nil }

func (e exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	sent := []any{}
	for _, span := range spans {
		named := span.SpanContext()
		sent = append(sent, map[string]any{
			"resource": map[string]any{"attributes": pairs(span.Resource().Attributes())},
			"scopeSpans": []any{map[string]any{"spans": []any{map[string]any{
				"traceId": named.TraceID().String(), "spanId": named.SpanID().String(), "name": span.Name(),
				"startTimeUnixNano": strconv.FormatInt(span.StartTime().UnixNano(), 10),
				"endTimeUnixNano":   strconv.FormatInt(span.EndTime().UnixNano(), 10),
				"attributes":        pairs(span.Attributes()),
			}}}},
		})
	}
	body, err := json.Marshal(map[string]any{"resourceSpans": sent})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, "POST", e.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", answer.Status)
	}
	return nil
}

func pairs(attributes []attribute.KeyValue) []any {
	made := []any{}
	for _, each := range attributes {
		value := map[string]any{"stringValue": each.Value.Emit()}
		switch each.Value.Type() {
		case attribute.INT64:
			value = map[string]any{"intValue": strconv.FormatInt(each.Value.AsInt64(), 10)}
		case attribute.FLOAT64:
			value = map[string]any{"doubleValue": each.Value.AsFloat64()}
		}
		made = append(made, map[string]any{"key": string(each.Key), "value": value})
	}
	return made
}
