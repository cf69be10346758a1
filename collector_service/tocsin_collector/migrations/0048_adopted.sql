-- Calls that are read out of somebody else's otel_traces: derived rows only, their spans stay where they are.

-- Spans and log records that another table keeps are not kept here a second time.
ALTER TABLE otel_traces_mv ${on_cluster} MODIFY QUERY
SELECT
    Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes,
    ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage,
    EventsTimestamp AS `Events.Timestamp`, EventsName AS `Events.Name`, EventsAttributes AS `Events.Attributes`,
    LinksTraceId AS `Links.TraceId`, LinksSpanId AS `Links.SpanId`, LinksTraceState AS `Links.TraceState`,
    LinksAttributes AS `Links.Attributes`, project, ingested_at, segment
FROM spans_in
WHERE NOT startsWith(segment, 'adopted-');

ALTER TABLE otel_logs_mv ${on_cluster} MODIFY QUERY
SELECT
    Timestamp, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, Body, ResourceSchemaUrl,
    ResourceAttributes, ScopeSchemaUrl, ScopeName, ScopeVersion, ScopeAttributes, LogAttributes, EventName,
    project, ingested_at, segment
FROM logs_in
WHERE NOT startsWith(segment, 'adopted-');

CREATE TABLE IF NOT EXISTS adoptions ${on_cluster}
(
    `source` String COMMENT 'database.table',
    `kind` LowCardinality(String) COMMENT 'traces or logs',
    `project` LowCardinality(String) COMMENT 'of everything that is read',
    `since` DateTime('UTC') COMMENT 'what is older was left out',
    `filled_to` DateTime('UTC') COMMENT 'read up to here',
    `rows` UInt64 COMMENT 'calls or outcomes read',
    `begun_at` DateTime64(3, 'UTC') COMMENT 'adopted; calls that came to a collector before are not read again',
    `by` String,
    `is_undone` UInt8,
    `at` DateTime64(6, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY source
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Tables of others that calls are read from';

-- None is read twice: a batch is written here first, then read under its name as the token.
CREATE TABLE IF NOT EXISTS adopted_rows ${on_cluster}
(
    `source` LowCardinality(String),
    `batch` LowCardinality(String) COMMENT 'the token under which its rows are read',
    `key` UInt64 COMMENT 'hash of what names the row: of a span, its trace and span',
    `happened_at` DateTime64(9, 'UTC') COMMENT 'the row''s own time' CODEC(Delta(8), ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}MergeTree
PARTITION BY toDate(ingested_at)
ORDER BY (source, happened_at)
TTL toDateTime(ingested_at) + INTERVAL 8 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000, replicated_deduplication_window = 1000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Rows of adopted tables that have been read. Kept 8 days';

-- The spans of adopted tables, where they are: written anew with each adoption.
CREATE VIEW IF NOT EXISTS adopted_spans ${on_cluster} AS
SELECT TraceId, SpanId, ParentSpanId, SpanName, ServiceName, Timestamp, Duration, StatusCode, StatusMessage, project
FROM otel_traces
WHERE false;
