-- What log events say of calls: message content, and what turned out to be true.

CREATE TABLE IF NOT EXISTS call_content ${on_cluster}
(
    `project` LowCardinality(String),
    `call_id` String COMMENT 'as in ai_calls: trace id + span id unless the caller named it' CODEC(ZSTD(1)),
    `response_id` String CODEC(ZSTD(1)),
    `trace_id` String CODEC(ZSTD(1)),
    `span_id` String CODEC(ZSTD(1)),
    `at` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `kind` LowCardinality(String) COMMENT 'input, output, system',
    `role` LowCardinality(String) COMMENT 'user, assistant, tool, …; empty where the content is a list of messages that say it',
    `position` UInt16,
    `content` String COMMENT 'as it came: a text, or JSON' CODEC(ZSTD(3)),
    `ingested_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `segment` LowCardinality(String),
    INDEX idx_response_id response_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ${Replicated}MergeTree
PARTITION BY toDate(at)
ORDER BY (project, call_id, kind, position)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What was asked and answered, where instrumentations were told to send it. Kept 30 days from arrival';

CREATE MATERIALIZED VIEW IF NOT EXISTS logs_content_mv ${on_cluster} TO call_content AS
WITH
    mapKeys(LogAttributes) AS keys,
    mapValues(LogAttributes) AS values,
    values[indexOf(keys, 'tocsin.call.id')] AS said_call_id,
    extract(EventName, '^gen_ai\\.(system|user|assistant|tool)\\.message') AS message_role,
    arrayFilter(piece -> piece.3 != '', multiIf(
        EventName = 'gen_ai.choice', [('output', 'assistant', Body)],
        message_role != '', [(if(message_role = 'system', 'system', 'input'), message_role, Body)],
        [('input', '', values[indexOf(keys, 'gen_ai.input.messages')]),
            ('output', '', values[indexOf(keys, 'gen_ai.output.messages')]),
            ('system', '', values[indexOf(keys, 'gen_ai.system_instructions')])])) AS pieces
SELECT
    project, if(said_call_id != '', said_call_id, concat(TraceId, SpanId)) AS call_id,
    values[indexOf(keys, 'gen_ai.response.id')] AS response_id, TraceId AS trace_id, SpanId AS span_id, Timestamp AS at,
    piece.1 AS kind, piece.2 AS role, toUInt16(position) AS position, piece.3 AS content, ingested_at, segment
FROM logs_in
ARRAY JOIN pieces AS piece, arrayEnumerate(pieces) AS position
WHERE startsWith(EventName, 'gen_ai.');

CREATE MATERIALIZED VIEW IF NOT EXISTS spans_content_mv ${on_cluster} TO call_content AS
WITH
    mapKeys(SpanAttributes) AS keys,
    mapValues(SpanAttributes) AS values,
    values[indexOf(keys, 'tocsin.call.id')] AS said_call_id,
    values[indexOf(keys, 'openinference.span.kind')] = 'LLM' AS is_openinference,
    arrayFilter(piece -> piece.3 != '', [
        ('input', '', values[greatest(indexOf(keys, 'gen_ai.input.messages'), if(is_openinference, indexOf(keys, 'input.value'), 0))]),
        ('output', '', values[greatest(indexOf(keys, 'gen_ai.output.messages'), if(is_openinference, indexOf(keys, 'output.value'), 0))]),
        ('system', '', values[indexOf(keys, 'gen_ai.system_instructions')]),
        ('input', values[indexOf(keys, 'gen_ai.prompt.0.role')], values[indexOf(keys, 'gen_ai.prompt.0.content')]),
        ('input', values[indexOf(keys, 'gen_ai.prompt.1.role')], values[indexOf(keys, 'gen_ai.prompt.1.content')]),
        ('output', values[indexOf(keys, 'gen_ai.completion.0.role')], values[indexOf(keys, 'gen_ai.completion.0.content')])]) AS pieces
SELECT
    project, if(said_call_id != '', said_call_id, concat(TraceId, SpanId)) AS call_id,
    values[indexOf(keys, 'gen_ai.response.id')] AS response_id, TraceId AS trace_id, SpanId AS span_id, Timestamp AS at,
    piece.1 AS kind, piece.2 AS role, toUInt16(position) AS position, piece.3 AS content, ingested_at, segment
FROM spans_in
ARRAY JOIN pieces AS piece, arrayEnumerate(pieces) AS position
WHERE greatest(indexOf(keys, 'gen_ai.input.messages'), indexOf(keys, 'gen_ai.output.messages'), indexOf(keys, 'gen_ai.system_instructions'),
    indexOf(keys, 'gen_ai.prompt.0.content'), indexOf(keys, 'gen_ai.completion.0.content')) > 0 OR is_openinference;

-- What a log event says of a call waits here until the call is found: its facts (model, answer, confidence) are not in the event.
CREATE TABLE IF NOT EXISTS outcomes_waiting ${on_cluster}
(
    `project` LowCardinality(String),
    `call_id` String COMMENT 'said, or trace id + span id',
    `response_id` String,
    `use_case` LowCardinality(String) COMMENT 'said, or empty',
    `kind` LowCardinality(String),
    `source` LowCardinality(String),
    `outcome_id` String COMMENT 'derived as the collector derives it: said twice, by whichever way, it is one outcome',
    `observed_at` DateTime64(9, 'UTC'),
    `label` String,
    `value` Nullable(Float64),
    `score` Nullable(Float64),
    `correct` Nullable(UInt8),
    `minutes` Nullable(Float64),
    `author` String,
    `comment` String,
    `received_at` DateTime64(9, 'UTC'),
    `ingested_at` DateTime64(3, 'UTC'),
    `segment` LowCardinality(String),
    `is_resolved` UInt8
)
ENGINE = ${Replicated}ReplacingMergeTree(is_resolved)
ORDER BY (project, outcome_id)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

-- Of an evaluation, a label that says pass or fail is a verdict. A score is one only where more of it is known to be better;
-- of other evaluations (toxicity, length) it is a value.
CREATE MATERIALIZED VIEW IF NOT EXISTS logs_outcomes_mv ${on_cluster} TO outcomes_waiting AS
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
        toString(project), if(said_call_id = '' AND response_id != '', response_id, call_id), kind, source,
        multiIf(label != '', concat('\'', label, '\''), value IS NOT NULL, if(value = trunc(value), concat(toString(toInt64(value)), '.0'), toString(value)), ''),
        multiIf(score IS NULL, '', score = trunc(score), concat(toString(toInt64(score)), '.0'), toString(score)),
        multiIf(correct IS NULL, '', correct = 1, 'True', 'False'),
        toString(toUnixTimestamp64Nano(Timestamp))], '\0')))), 1, 32) AS outcome_id,
    received_at, ingested_at, segment, 0 AS is_resolved
FROM logs_in
WHERE EventName IN ('gen_ai.evaluation.result', 'tocsin.outcome') AND (call_id != '' OR response_id != '');
