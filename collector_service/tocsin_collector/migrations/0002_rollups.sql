-- Hourly sums that evaluators read, so that their cost does not grow with traffic. Only sums: a correction inserts
-- minus the old and plus the new. Each call counts under segment ('', '') and once under each declared segment.

CREATE TABLE IF NOT EXISTS ai_calls_1h ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `hour` DateTime('UTC'),
    `model_version` LowCardinality(String),
    `prompt_version` LowCardinality(String),
    `segment_name` LowCardinality(String),
    `segment_value` LowCardinality(String),
    `served_by` LowCardinality(String),
    `currency` LowCardinality(String),
    `calls` Int64,
    `probes` Int64,
    `errors` Int64,
    `retries` Int64,
    `unpriced` Int64,
    `confident` Int64 COMMENT 'calls that carried a confidence',
    `input_tokens` Int64,
    `output_tokens` Int64,
    `cost` Decimal(38, 9)
)
ENGINE = ${Replicated}SummingMergeTree((calls, probes, errors, retries, unpriced, confident, input_tokens, output_tokens, cost))
PARTITION BY toYYYYMM(hour)
ORDER BY (project, use_case, hour, model_version, prompt_version, segment_name, segment_value, served_by, currency)
SETTINGS non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Calls, errors, tokens and cost by hour. Kept for ever';

CREATE MATERIALIZED VIEW IF NOT EXISTS ai_calls_1h_mv ${on_cluster} TO ai_calls_1h AS
SELECT
    project, use_case, toStartOfHour(toDateTime(started_at, 'UTC')) AS hour, model_version, prompt_version,
    seg.1 AS segment_name, seg.2 AS segment_value, served_by, currency,
    count() AS calls,
    sum(is_probe) AS probes,
    countIf(error_type != '') AS errors,
    countIf(attempt > 1) AS retries,
    countIf(price IS NULL) AS unpriced,
    countIf(confidence IS NOT NULL) AS confident,
    sum(ifNull(tokens_in, 0)) AS input_tokens,
    sum(ifNull(tokens_out, 0)) AS output_tokens,
    sum(ifNull(price, toDecimal64(0, 9))) AS cost
FROM
(
    SELECT
        project, use_case, started_at, model_version, prompt_version, served_by, currency, is_probe, error_type, attempt,
        confidence, input_tokens AS tokens_in, output_tokens AS tokens_out, ai_calls.cost AS price,
        arrayPushFront(arrayZip(mapKeys(segments), mapValues(segments)), ('', '')) AS segs
    FROM ai_calls
)
ARRAY JOIN segs AS seg
GROUP BY project, use_case, hour, model_version, prompt_version, segment_name, segment_value, served_by, currency;

CREATE TABLE IF NOT EXISTS input_histogram_1h ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `kind` LowCardinality(String) COMMENT 'number, category, null, confidence, output, latency',
    `field` LowCardinality(String) COMMENT 'input field; empty for confidence, output and latency',
    `hour` DateTime('UTC'),
    `model_version` LowCardinality(String),
    `prompt_version` LowCardinality(String),
    `segment_name` LowCardinality(String),
    `segment_value` LowCardinality(String),
    `bin` Int16 COMMENT 'tocsin_bin_v1; for confidence tocsin_doubt_bin_v1; for latency of milliseconds',
    `category` String COMMENT 'a value of at most 64 bytes, longer ones share "(long)"',
    `n` Int64
)
ENGINE = ${Replicated}SummingMergeTree(n)
PARTITION BY toYYYYMM(hour)
ORDER BY (project, use_case, kind, field, hour, model_version, prompt_version, segment_name, segment_value, bin, category)
SETTINGS non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Histograms of inputs, confidence, outputs and latency by hour. Kept for ever';

-- Inputs count whoever answered; confidence, output and latency only when the model was asked.
CREATE MATERIALIZED VIEW IF NOT EXISTS input_histogram_1h_mv ${on_cluster} TO input_histogram_1h AS
SELECT
    project, use_case, cell.1 AS kind, cell.2 AS field, toStartOfHour(toDateTime(started_at, 'UTC')) AS hour,
    model_version, prompt_version, seg.1 AS segment_name, seg.2 AS segment_value,
    cell.3 AS bin, cell.4 AS category, count() AS n
FROM
(
    SELECT
        project, use_case, started_at, model_version, prompt_version,
        arrayPushFront(arrayZip(mapKeys(segments), mapValues(segments)), ('', '')) AS segs,
        arrayConcat(
            arrayMap((k, v) -> ('number', toString(k), tocsin_bin_v1(v), ''), mapKeys(input_numbers), mapValues(input_numbers)),
            arrayMap((k, v) -> ('category', toString(k), toInt16(0), if(length(v) <= 64, v, '(long)')), mapKeys(input_strings), mapValues(input_strings)),
            arrayMap(k -> ('null', toString(k), toInt16(0), ''), input_nulls),
            if(confidence IS NULL OR served_by = 'fallback' AND NOT is_probe, [],
                [('confidence', '', tocsin_doubt_bin_v1(assumeNotNull(confidence)), '')]),
            if(output_label = '' OR served_by = 'fallback' AND NOT is_probe, [],
                [('output', '', toInt16(0), if(length(output_label) <= 64, output_label, '(long)'))]),
            if(served_by = 'fallback' AND NOT is_probe, [], [('latency', '', tocsin_bin_v1(duration_ns / 1e6), '')])
        ) AS cells
    FROM ai_calls
)
ARRAY JOIN segs AS seg
ARRAY JOIN cells AS cell
GROUP BY project, use_case, kind, field, hour, model_version, prompt_version, segment_name, segment_value, bin, category;
