-- What arrives from outside: spans, calls, outcomes. ${Replicated} is empty or "Replicated", ${on_cluster} is
-- empty or "ON CLUSTER name"; nothing else is templated. Statements end with a semicolon at the end of a line.
-- What the spool fills is fsynced on insert: the spool's file is removed next, and a power loss must find one of the two.

-- Two per cent log bins, signed, frozen as version 1: a histogram kept for years must mean the same for years.
-- 0 holds zero and everything within 1e-12 of it; values beyond 1e12 share the outermost bin.
CREATE FUNCTION IF NOT EXISTS tocsin_bin_v1 ${on_cluster} AS (bin_x) ->
    if(abs(bin_x) < 1e-12, 0, toInt16(sign(bin_x) * (2000 + floor(log(least(abs(bin_x), 1e12)) / log(1.02)))));

-- The lower edge of a bin's absolute value, with its sign.
CREATE FUNCTION IF NOT EXISTS tocsin_bin_v1_value ${on_cluster} AS (bin_index) ->
    if(bin_index = 0, 0., sign(bin_index) * exp((abs(bin_index) - 2000 + 0.5) * log(1.02)));

-- A doubt is 1 - confidence: log bins of it resolve the crowded end near certainty. Below one in a million is bin 0.
CREATE FUNCTION IF NOT EXISTS tocsin_doubt_bin_v1 ${on_cluster} AS (doubt_confidence) ->
    if(1 - doubt_confidence < 1e-6, 0, toInt16(2000 + floor(log(least(1 - doubt_confidence, 1)) / log(1.02))));

CREATE TABLE IF NOT EXISTS plans ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `segments` Array(String) COMMENT 'names of input fields by which quality is also kept',
    `quality_floor` Nullable(Float64),
    `label_delay_s` UInt32 COMMENT 'labels usually exist this long after the call',
    `currency` LowCardinality(String),
    `budget_per_day` Nullable(Decimal(18, 9)),
    `owner` String,
    `guard_mode` LowCardinality(String),
    `plan` String COMMENT 'the whole plan as JSON',
    `updated_at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(updated_at)
ORDER BY (project, use_case)
COMMENT 'What each use case''s YAML plan says; rewritten at start, never edited here';

CREATE TABLE IF NOT EXISTS use_case_map ${on_cluster}
(
    `project` LowCardinality(String),
    `position` UInt32 COMMENT 'first match wins',
    `service` String COMMENT 'empty matches everything, here and in the next four',
    `span_name` String,
    `route` String,
    `function` String,
    `model` String,
    `use_case` String COMMENT 'empty: this row has been withdrawn',
    `updated_at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(updated_at)
ORDER BY (project, position);

-- One row per span, decoded and flattened. Stores nothing: the views below fan out, all under one deduplication token.
CREATE TABLE IF NOT EXISTS spans_in ${on_cluster}
(
    `Timestamp` DateTime64(9),
    `TraceId` String,
    `SpanId` String,
    `ParentSpanId` String,
    `TraceState` String,
    `SpanName` LowCardinality(String),
    `SpanKind` LowCardinality(String),
    `ServiceName` LowCardinality(String),
    `ResourceAttributes` Map(LowCardinality(String), String),
    `ScopeName` String,
    `ScopeVersion` String,
    `SpanAttributes` Map(LowCardinality(String), String),
    `InputNumbers` Map(LowCardinality(String), Float64) COMMENT 'tocsin.input.*, as sent',
    `InputStrings` Map(LowCardinality(String), String),
    `OutputProbabilities` Map(LowCardinality(String), Float64),
    `Duration` UInt64,
    `StatusCode` LowCardinality(String),
    `StatusMessage` String,
    `EventsTimestamp` Array(DateTime64(9)),
    `EventsName` Array(LowCardinality(String)),
    `EventsAttributes` Array(Map(LowCardinality(String), String)),
    `LinksTraceId` Array(String),
    `LinksSpanId` Array(String),
    `LinksTraceState` Array(String),
    `LinksAttributes` Array(Map(LowCardinality(String), String)),
    `Flags` Array(LowCardinality(String)) COMMENT 'what was clamped about this span',
    `project` LowCardinality(String),
    `received_at` DateTime64(9, 'UTC'),
    `ingested_at` DateTime64(3, 'UTC'),
    `segment` LowCardinality(String)
)
ENGINE = Null;

-- The OpenTelemetry ClickHouse exporter's columns first and unchanged, so that trace views of others work; then ours.
CREATE TABLE IF NOT EXISTS otel_traces ${on_cluster}
(
    `Timestamp` DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    `TraceId` String CODEC(ZSTD(1)),
    `SpanId` String CODEC(ZSTD(1)),
    `ParentSpanId` String CODEC(ZSTD(1)),
    `TraceState` String CODEC(ZSTD(1)),
    `SpanName` LowCardinality(String) CODEC(ZSTD(1)),
    `SpanKind` LowCardinality(String) CODEC(ZSTD(1)),
    `ServiceName` LowCardinality(String) CODEC(ZSTD(1)),
    `ResourceAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `ScopeName` String CODEC(ZSTD(1)),
    `ScopeVersion` String CODEC(ZSTD(1)),
    `SpanAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `Duration` UInt64 CODEC(ZSTD(1)),
    `StatusCode` LowCardinality(String) CODEC(ZSTD(1)),
    `StatusMessage` String CODEC(ZSTD(1)),
    `Events.Timestamp` Array(DateTime64(9)) CODEC(ZSTD(1)),
    `Events.Name` Array(LowCardinality(String)) CODEC(ZSTD(1)),
    `Events.Attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    `Links.TraceId` Array(String) CODEC(ZSTD(1)),
    `Links.SpanId` Array(String) CODEC(ZSTD(1)),
    `Links.TraceState` Array(String) CODEC(ZSTD(1)),
    `Links.Attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    `project` LowCardinality(String) DEFAULT 'default' CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    `segment` LowCardinality(String) DEFAULT '' CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1
)
ENGINE = ${Replicated}MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1,
    vertical_merge_algorithm_min_rows_to_activate = 1
COMMENT 'Every span, in the OpenTelemetry ClickHouse exporter''s columns. Kept 30 days from arrival';

CREATE MATERIALIZED VIEW IF NOT EXISTS otel_traces_mv ${on_cluster} TO otel_traces AS
SELECT
    Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes,
    ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage,
    EventsTimestamp AS `Events.Timestamp`, EventsName AS `Events.Name`, EventsAttributes AS `Events.Attributes`,
    LinksTraceId AS `Links.TraceId`, LinksSpanId AS `Links.SpanId`, LinksTraceState AS `Links.TraceState`,
    LinksAttributes AS `Links.Attributes`, project, ingested_at, segment
FROM spans_in;

CREATE TABLE IF NOT EXISTS otel_traces_trace_id_ts ${on_cluster}
(
    `TraceId` String CODEC(ZSTD(1)),
    `Start` DateTime CODEC(Delta(4), ZSTD(1)),
    `End` DateTime CODEC(Delta(4), ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ${Replicated}MergeTree
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS otel_traces_trace_id_ts_mv ${on_cluster} TO otel_traces_trace_id_ts AS
SELECT
    TraceId,
    toDateTime(min(Timestamp)) AS `Start`,
    toDateTime(max(Timestamp)) AS `End`,
    max(ingested_at) AS ingested_at
FROM spans_in
WHERE TraceId != ''
GROUP BY TraceId;

CREATE TABLE IF NOT EXISTS ai_calls ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `started_at` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `duration_ns` UInt64 CODEC(ZSTD(1)),
    `call_id` String COMMENT 'join key for outcomes; trace id + span id unless the caller named it' CODEC(ZSTD(1)),
    `call_key` String COMMENT 'the response id that nested spans share, else the call id' CODEC(ZSTD(1)),
    `trace_id` String CODEC(ZSTD(1)),
    `span_id` String CODEC(ZSTD(1)),
    `service` LowCardinality(String),
    `environment` LowCardinality(String),
    `release` LowCardinality(String),
    `task` LowCardinality(String),
    `model_name` LowCardinality(String),
    `model_version` LowCardinality(String),
    `prompt_version` LowCardinality(String),
    `served_by` LowCardinality(String) COMMENT 'model or fallback',
    `guard_state` LowCardinality(String),
    `is_probe` UInt8 COMMENT 'the model was asked although the fallback was served',
    `attempt` UInt16,
    `retry_of` String CODEC(ZSTD(1)),
    `weight` Float64 COMMENT 'calls that this row stands for when the caller sampled',
    `output_label` String CODEC(ZSTD(1)),
    `output_value` Nullable(Float64) CODEC(ZSTD(1)),
    `output_text` String CODEC(ZSTD(1)),
    `output_probabilities` Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    `confidence` Nullable(Float64) COMMENT '0 to 1; NULL when the call gave none or an impossible one' CODEC(ZSTD(1)),
    `confidence_source` LowCardinality(String),
    `cost` Nullable(Decimal(18, 9)) COMMENT 'in currency; NULL is unknown, never free' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'ISO 4217',
    `cost_source` LowCardinality(String),
    `input_tokens` Nullable(UInt64) CODEC(ZSTD(1)),
    `output_tokens` Nullable(UInt64) CODEC(ZSTD(1)),
    `error_type` LowCardinality(String),
    `session_id` String CODEC(ZSTD(1)),
    `user_id` String CODEC(ZSTD(1)),
    `input_numbers` Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    `input_strings` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `input_nulls` Array(LowCardinality(String)) COMMENT 'fields that were there and held nothing, or NaN' CODEC(ZSTD(1)),
    `segments` Map(LowCardinality(String), String) COMMENT 'the plan''s segment fields and their values' CODEC(ZSTD(1)),
    `flags` Array(LowCardinality(String)) COMMENT 'what was cut, clamped or refused about this call' CODEC(ZSTD(1)),
    `received_at` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `segment` LowCardinality(String)
)
ENGINE = ${Replicated}MergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (project, use_case, toStartOfHour(started_at), call_id)
TTL toDateTime(ingested_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per AI call. Kept 400 days from arrival';

-- A span is an AI call when it says so (tocsin.use_case, tocsin.call.id), or names a generative operation or model.
CREATE MATERIALIZED VIEW IF NOT EXISTS ai_calls_mv ${on_cluster} TO ai_calls AS
WITH
    -- On low-cardinality keys indexOf compares numbers; SpanAttributes['…'] would compare strings, three times slower.
    mapKeys(SpanAttributes) AS keys,
    mapValues(SpanAttributes) AS values,
    values[indexOf(keys, 'tocsin.use_case')] AS said_use_case,
    values[indexOf(keys, 'tocsin.call.id')] AS said_call_id,
    values[indexOf(keys, 'tocsin.model.name')] AS said_model,
    values[indexOf(keys, 'gen_ai.response.model')] AS response_model,
    values[indexOf(keys, 'gen_ai.request.model')] AS request_model,
    values[indexOf(keys, 'gen_ai.response.id')] AS response_id,
    values[indexOf(keys, 'tocsin.model.version')] AS said_model_version,
    values[indexOf(keys, 'gen_ai.prompt.version')] AS said_prompt_version,
    values[indexOf(keys, 'tocsin.served_by')] AS said_served_by,
    values[indexOf(keys, 'error.type')] AS said_error,
    values[indexOf(keys, 'tocsin.confidence')] AS confidence_text,
    (SELECT groupArray((project, service, span_name, route, function, model, use_case)) FROM
        (SELECT * FROM use_case_map FINAL WHERE use_case != '' ORDER BY project, position)) AS use_case_mapping,
    (SELECT mapFromArrays(groupArray(concat(project, '\n', use_case)), groupArray(segments)) FROM plans FINAL) AS declared_segments,
    multiIf(said_model != '', said_model,
        response_model != '', response_model, request_model) AS model,
    arrayFirst(m -> m.1 = project
        AND (m.2 = '' OR m.2 = ServiceName) AND (m.3 = '' OR m.3 = SpanName)
        AND (m.4 = '' OR m.4 = values[indexOf(keys, 'http.route')]) AND (m.5 = '' OR m.5 = values[indexOf(keys, 'code.function.name')])
        AND (m.6 = '' OR m.6 = model), use_case_mapping).7 AS mapped_use_case,
    toFloat64OrNull(confidence_text) AS said_confidence,
    toFloat64OrNull(values[indexOf(keys, 'tocsin.output.value')]) AS said_value,
    toFloat64OrNull(values[indexOf(keys, 'tocsin.weight')]) AS said_weight,
    declared_segments[concat(project, '\n', use_case)] AS declared
SELECT
    project,
    multiIf(said_use_case != '', said_use_case, mapped_use_case != '', mapped_use_case,
        concat(ServiceName, '/', if(model != '', model, SpanName))) AS use_case,
    Timestamp AS started_at,
    Duration AS duration_ns,
    if(said_call_id != '', said_call_id, concat(TraceId, SpanId)) AS call_id,
    if(response_id != '', response_id, call_id) AS call_key,
    TraceId AS trace_id,
    SpanId AS span_id,
    ServiceName AS service,
    ResourceAttributes['deployment.environment.name'] AS environment,
    ResourceAttributes['service.version'] AS release,
    values[indexOf(keys, 'tocsin.task')] AS task,
    model AS model_name,
    if(said_model_version != '', said_model_version, response_model) AS model_version,
    if(said_prompt_version != '', said_prompt_version, values[indexOf(keys, 'tocsin.prompt.version')]) AS prompt_version,
    if(said_served_by = '', 'model', said_served_by) AS served_by,
    values[indexOf(keys, 'tocsin.guard.state')] AS guard_state,
    values[indexOf(keys, 'tocsin.probe')] = 'true' AS is_probe,
    toUInt16OrZero(values[indexOf(keys, 'tocsin.attempt')]) AS attempt,
    values[indexOf(keys, 'tocsin.retry_of')] AS retry_of,
    if(said_weight > 0 AND isFinite(said_weight), assumeNotNull(said_weight), 1.) AS weight,
    values[indexOf(keys, 'tocsin.output.label')] AS output_label,
    if(isFinite(said_value), said_value, NULL) AS output_value,
    values[indexOf(keys, 'tocsin.output.text')] AS output_text,
    OutputProbabilities AS output_probabilities,
    if(said_confidence >= 0 AND said_confidence <= 1, said_confidence, NULL) AS confidence,
    values[indexOf(keys, 'tocsin.confidence.source')] AS confidence_source,
    toDecimal64OrNull(values[indexOf(keys, 'tocsin.cost.amount')], 9) AS cost,
    values[indexOf(keys, 'tocsin.cost.currency')] AS currency,
    values[indexOf(keys, 'tocsin.cost.source')] AS cost_source,
    toUInt64OrNull(values[indexOf(keys, 'gen_ai.usage.input_tokens')]) AS input_tokens,
    toUInt64OrNull(values[indexOf(keys, 'gen_ai.usage.output_tokens')]) AS output_tokens,
    multiIf(said_error != '', said_error, StatusCode = 'Error', 'error', '') AS error_type,
    values[indexOf(keys, 'session.id')] AS session_id,
    values[indexOf(keys, 'user.id')] AS user_id,
    mapFilter((k, v) -> isFinite(v), InputNumbers) AS input_numbers,
    InputStrings AS input_strings,
    arrayDistinct(arrayConcat(JSONExtract(values[indexOf(keys, 'tocsin.null_inputs')], 'Array(String)'),
        arrayFilter((k, v) -> NOT isFinite(v), mapKeys(InputNumbers), mapValues(InputNumbers)))) AS input_nulls,
    mapFromArrays(
        CAST(arrayFilter(s -> mapContains(InputStrings, s) OR mapContains(InputNumbers, s), declared) AS Array(LowCardinality(String))) AS segment_names,
        arrayMap(s -> if(mapContains(InputStrings, s), InputStrings[s], toString(InputNumbers[s])), segment_names)
    ) AS segments,
    arrayFilter(f -> f != '', arrayDistinct(arrayConcat(Flags, splitByChar(',', values[indexOf(keys, 'tocsin.flags')]),
        [if(confidence_text != '' AND confidence IS NULL, 'confidence_out_of_range', '')]))) AS flags,
    received_at,
    ingested_at,
    segment
FROM spans_in
WHERE said_use_case != '' OR said_call_id != '' OR values[indexOf(keys, 'gen_ai.operation.name')] != ''
    OR request_model != '' OR response_model != '';
