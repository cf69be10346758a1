-- Outcomes that name their call by the caller's own key, by a response's id or by a call's id alone: they wait until it is found.

-- A caller's own key of a call (tocsin.call.key), in the order in which it is asked for. One key may be of several calls.
CREATE TABLE IF NOT EXISTS call_keys ${on_cluster}
(
    `project` LowCardinality(String),
    `business_key` String COMMENT 'tocsin.call.key: an order''s number, a ticket''s' CODEC(ZSTD(1)),
    `started_at` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `call_id` String COMMENT 'as in ai_calls' CODEC(ZSTD(1)),
    `trace_id` String CODEC(ZSTD(1)),
    `span_id` String CODEC(ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `segment` LowCardinality(String)
)
ENGINE = ${Replicated}MergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (project, business_key, started_at)
TTL toDateTime(ingested_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The callers'' own keys of calls, by which outcomes may come. Kept 400 days from arrival';

CREATE MATERIALIZED VIEW IF NOT EXISTS call_keys_mv ${on_cluster} TO call_keys AS
WITH
    mapKeys(SpanAttributes) AS keys,
    mapValues(SpanAttributes) AS values,
    values[indexOf(keys, 'tocsin.call.id')] AS said_call_id
SELECT
    project, values[indexOf(keys, 'tocsin.call.key')] AS business_key, Timestamp AS started_at,
    if(said_call_id != '', said_call_id, concat(TraceId, SpanId)) AS call_id, TraceId AS trace_id, SpanId AS span_id,
    ingested_at, segment
FROM spans_in
WHERE has(keys, 'tocsin.call.key') AND business_key != '';

ALTER TABLE outcomes_in ${on_cluster} ADD COLUMN IF NOT EXISTS `business_key` String COMMENT 'the caller''s own key of the call';
ALTER TABLE outcomes_in ${on_cluster} ADD COLUMN IF NOT EXISTS `response_id` String COMMENT 'gen_ai.response.id of the call';
ALTER TABLE outcomes ${on_cluster} ADD COLUMN IF NOT EXISTS `business_key` String COMMENT 'the key by which it named its call, if it did' CODEC(ZSTD(1));
ALTER TABLE outcomes ${on_cluster} ADD COLUMN IF NOT EXISTS `response_id` String COMMENT 'gen_ai.response.id by which it named its call, if it did' CODEC(ZSTD(1));

-- What names its call with all of its facts is an outcome at once ...
ALTER TABLE outcomes_mv ${on_cluster} MODIFY QUERY
SELECT
    project, use_case, call_id, started_at, model_version, prompt_version, served_by, is_probe, predicted_label,
    predicted_value, confidence, weight, segments, kind, source, outcome_id, observed_at, label, value, score,
    multiIf(outcomes_in.correct IS NOT NULL, outcomes_in.correct,
        label != '' AND predicted_label != '', toNullable(toUInt8(label = predicted_label)),
        NULL) AS correct,
    minutes, author, comment, received_at, ingested_at, segment, business_key, response_id
FROM outcomes_in
WHERE toUnixTimestamp64Nano(started_at) > 0;

-- ... the others wait, as those of log events do.
ALTER TABLE outcomes_waiting ${on_cluster} ADD COLUMN IF NOT EXISTS `business_key` String COMMENT 'the caller''s own key of the call, or empty';
ALTER TABLE outcomes_waiting ${on_cluster} MODIFY TTL toDateTime(ingested_at) + INTERVAL 400 DAY;
ALTER TABLE outcomes_waiting ${on_cluster} MODIFY COMMENT 'What names a call that is not known yet; joined when the call arrives. Kept 400 days from arrival';

CREATE MATERIALIZED VIEW IF NOT EXISTS outcomes_waiting_mv ${on_cluster} TO outcomes_waiting AS
SELECT
    project, call_id, response_id, business_key, use_case, kind, source, outcome_id, observed_at, label, value, score,
    outcomes_in.correct AS correct, minutes, author, comment, received_at, ingested_at, segment, 0 AS is_resolved
FROM outcomes_in
WHERE toUnixTimestamp64Nano(started_at) = 0;

-- As before, and by the caller's own key.
ALTER TABLE logs_outcomes_mv ${on_cluster} MODIFY QUERY
WITH
    mapKeys(LogAttributes) AS keys,
    mapValues(LogAttributes) AS values,
    EventName = 'gen_ai.evaluation.result' AS is_evaluation,
    values[indexOf(keys, 'tocsin.call.id')] AS said_call_id,
    values[indexOf(keys, 'tocsin.outcome.kind')] AS said_kind,
    values[indexOf(keys, 'tocsin.outcome.source')] AS said_source,
    values[indexOf(keys, 'gen_ai.evaluation.name')] AS evaluation,
    lower(values[indexOf(keys, 'gen_ai.evaluation.score.label')]) AS verdict,
    toFloat64OrNull(values[indexOf(keys, 'gen_ai.evaluation.score.value')]) AS evaluated,
    is_evaluation AND evaluated >= 0 AND evaluated <= 1 AND (verdict IN ('pass', 'passed', 'correct', 'yes', 'true', 'fail', 'failed', 'incorrect', 'no', 'false')
        OR match(lower(evaluation), 'correct|accura|relevan|grounded|faithful|helpful|quality|coheren|resolution|complete|fluen')) AS is_score,
    values[indexOf(keys, 'tocsin.outcome.correct')] AS said_correct
SELECT
    project,
    if(said_call_id != '', said_call_id, concat(TraceId, SpanId)) AS call_id,
    values[indexOf(keys, 'gen_ai.response.id')] AS response_id,
    values[indexOf(keys, 'tocsin.call.key')] AS business_key,
    values[indexOf(keys, 'tocsin.use_case')] AS use_case,
    multiIf(said_kind != '', said_kind, is_evaluation, 'judge', 'ground_truth') AS kind,
    if(said_source != '', said_source, evaluation) AS source,
    Timestamp AS observed_at,
    values[indexOf(keys, 'tocsin.outcome.label')] AS label,
    if(is_evaluation, if(is_score, NULL, evaluated), toFloat64OrNull(values[indexOf(keys, 'tocsin.outcome.value')])) AS value,
    if(is_evaluation, if(is_score, evaluated, NULL), toFloat64OrNull(values[indexOf(keys, 'tocsin.outcome.score')])) AS score,
    multiIf(verdict IN ('pass', 'passed', 'correct', 'yes', 'true') OR said_correct = 'true', 1,
        verdict IN ('fail', 'failed', 'incorrect', 'no', 'false') OR said_correct = 'false', 0, NULL) AS correct,
    toFloat64OrNull(values[indexOf(keys, 'tocsin.outcome.minutes')]) AS minutes,
    values[indexOf(keys, 'tocsin.outcome.author')] AS author,
    if(is_evaluation, values[indexOf(keys, 'gen_ai.evaluation.explanation')], values[indexOf(keys, 'tocsin.outcome.comment')]) AS comment,
    substring(lower(hex(SHA256(arrayStringConcat([
        toString(project),
        multiIf(said_call_id != '', said_call_id, response_id != '', response_id, business_key != '', concat(use_case, '\n', business_key), call_id),
        kind, source,
        multiIf(label != '', concat('\'', label, '\''), value IS NOT NULL, if(value = trunc(value), concat(toString(toInt64(value)), '.0'), toString(value)), ''),
        multiIf(score IS NULL, '', score = trunc(score), concat(toString(toInt64(score)), '.0'), toString(score)),
        multiIf(correct IS NULL, '', correct = 1, 'True', 'False'),
        toString(toUnixTimestamp64Nano(Timestamp))], '\0')))), 1, 32) AS outcome_id,
    received_at, ingested_at, segment, 0 AS is_resolved
FROM logs_in
WHERE EventName IN ('gen_ai.evaluation.result', 'tocsin.outcome') AND (call_id != '' OR response_id != '' OR business_key != '');
