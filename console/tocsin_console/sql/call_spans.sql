-- The spans of one trace around a call, in the order in which they began.
SELECT
    SpanId AS span_id, ParentSpanId AS parent_span_id, SpanName AS name, ServiceName AS service, toDateTime64(Timestamp, 9, 'UTC') AS started_at,
    Duration / 1e6 AS duration_ms, StatusCode AS status, StatusMessage AS status_message
FROM
(
    SELECT SpanId, ParentSpanId, SpanName, ServiceName, Timestamp, Duration, StatusCode, StatusMessage, TraceId, project FROM otel_traces
    UNION ALL
    -- of adopted tables, where they are
    SELECT SpanId, ParentSpanId, SpanName, ServiceName, Timestamp, Duration, StatusCode, StatusMessage, TraceId, project FROM adopted_spans
)
WHERE TraceId = {trace_id:String} AND project = {project:String}
    AND Timestamp >= {started_at:DateTime64(9, 'UTC')} - 3600 AND Timestamp <= {started_at:DateTime64(9, 'UTC')} + 3600
ORDER BY started_at, span_id
LIMIT 1 BY span_id
LIMIT {most:UInt32}
SETTINGS max_execution_time = 10
