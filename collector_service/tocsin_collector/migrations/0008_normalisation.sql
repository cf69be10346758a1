-- One vocabulary for every AI call, whoever instrumented it; what it cost; and corrections that leave the sums right.

-- A correction inserts the old row again with sign -1 beside the new one: every sum below sees both, under one token.
-- The pair is then deleted here; a row with sign -1 is one whose deletion is not done yet.
ALTER TABLE ai_calls ${on_cluster} ADD COLUMN IF NOT EXISTS `sign` Int8 DEFAULT 1 COMMENT '-1 takes back the row of the same call, span and segment';
ALTER TABLE ai_calls ${on_cluster} ADD COLUMN IF NOT EXISTS `provider` LowCardinality(String) COMMENT 'as gen_ai.provider.name, in lower case';
ALTER TABLE ai_calls ${on_cluster} ADD COLUMN IF NOT EXISTS `operation` LowCardinality(String) COMMENT 'as gen_ai.operation.name: chat, embeddings, …';
ALTER TABLE ai_calls ${on_cluster} ADD COLUMN IF NOT EXISTS `cache_read_tokens` Nullable(UInt64) COMMENT 'of input_tokens, those read from the provider''s cache' CODEC(ZSTD(1));
ALTER TABLE ai_calls ${on_cluster} ADD COLUMN IF NOT EXISTS `cache_write_tokens` Nullable(UInt64) COMMENT 'of input_tokens, those written to it' CODEC(ZSTD(1));
ALTER TABLE ai_calls ${on_cluster} ADD COLUMN IF NOT EXISTS `price_version` LowCardinality(String) COMMENT 'the price list that the cost comes from; empty when the call said its cost, or nobody knows it';
-- Jobs ask for what arrived lately.
ALTER TABLE ai_calls ${on_cluster} ADD INDEX IF NOT EXISTS idx_ingested_at ingested_at TYPE minmax GRANULARITY 1;

CREATE TABLE IF NOT EXISTS prices ${on_cluster}
(
    `project` LowCardinality(String) COMMENT 'empty: all',
    `provider` LowCardinality(String) COMMENT 'exactly as calls say it',
    `model` LowCardinality(String) COMMENT 'exactly as calls say it',
    `source` LowCardinality(String) COMMENT 'negotiated, local or genai-prices, in the order in which they are asked',
    `valid_from` DateTime('UTC'),
    `input_above` UInt64 COMMENT 'holds for calls of more input tokens than this: the whole call, not only the rest',
    `currency` LowCardinality(String) COMMENT 'ISO 4217',
    `input_per_mtok` Nullable(Float64),
    `output_per_mtok` Nullable(Float64),
    `cache_read_per_mtok` Nullable(Float64) COMMENT 'NULL: as input',
    `cache_write_per_mtok` Nullable(Float64) COMMENT 'NULL: as input',
    `per_call` Nullable(Float64),
    `per_second` Nullable(Float64),
    `source_version` String COMMENT 'stamped on each call that it prices',
    `dated` Date COMMENT 'the day up to which its source knows of changes',
    `is_withdrawn` UInt8,
    `updated_at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(updated_at)
ORDER BY (project, provider, model, source, valid_from, input_above)
COMMENT 'Unit prices of the models that were seen here; filled by a job, read at load';

-- What the view below looks up for each call, as arrays: read once an insert.
CREATE VIEW IF NOT EXISTS load_use_case_rules ${on_cluster} AS
SELECT groupArray([toString(project), service, span_name, route, function, model, use_case]) AS rules
FROM (SELECT * FROM use_case_map FINAL WHERE use_case != '' ORDER BY project, position);

CREATE VIEW IF NOT EXISTS load_segments ${on_cluster} AS
SELECT mapFromArrays(groupArray(concat(project, '\n', use_case)), groupArray(segments)) AS declared FROM plans FINAL;

-- A name is project, provider and model, a line each. Its lists, own prices before public ones and the latest first, are
-- [from, above input tokens, per uncached, cache read, cache write, output token, call, second]; a label is currency and version.
CREATE VIEW IF NOT EXISTS load_prices ${on_cluster} AS
SELECT (
    arrayPushFront(groupArray(name), ''),
    arrayPushFront(groupArray(arrayMap(ranked -> ranked.2, dated)), []),
    arrayPushFront(groupArray(arrayMap(ranked -> ranked.3, dated)), [])
) AS names_lists_labels
FROM
(
    SELECT
        concat(project, '\n', provider, '\n', model) AS name,
        arrayReverseSort(ranked -> ranked.1, groupArray((
            (source != 'genai-prices', valid_from, input_above),
            [toFloat64(toUnixTimestamp(valid_from)), toFloat64(input_above), ifNull(input_per_mtok, 0.) / 1e6,
                ifNull(cache_read_per_mtok, ifNull(input_per_mtok, 0.)) / 1e6,
                ifNull(cache_write_per_mtok, ifNull(input_per_mtok, 0.)) / 1e6,
                ifNull(output_per_mtok, 0.) / 1e6, ifNull(per_call, 0.), ifNull(per_second, 0.)],
            concat(currency, ' ', source_version)))) AS dated
    FROM prices FINAL
    WHERE NOT is_withdrawn
    GROUP BY name
);

-- What a call cost by a list of load_prices; NULL when the list asks for something that was not measured: an unknown cost is
-- never 0. A provider that leaves cached tokens out of its input tokens has fewer of the latter.
CREATE FUNCTION IF NOT EXISTS tocsin_cost_v1 ${on_cluster} AS (cost_list, cost_in, cost_out, cost_read, cost_write, cost_seconds) ->
    toDecimal64OrNull(toString(round(arraySum(
        (cost_unit, cost_amount) -> if(cost_unit = 0, 0, cost_unit * cost_amount),
        arraySlice(cost_list, 3),
        [if(cost_in < cost_read + cost_write, cost_in, cost_in - cost_read - cost_write), cost_read, cost_write, cost_out, 1, cost_seconds]
    ), 9)), 9);

-- A span is an AI call when it says so (tocsin.use_case, tocsin.call.id), or is one request to a generative or embedding
-- model, in the words of OpenTelemetry, OpenInference or Traceloop. What encloses such requests (agents, chains, workflows,
-- tools, retrievers) is not: it repeats their tokens.
-- Told in four steps, one inside the other: what the call said, what that means, which prices hold, what it cost. In one step
-- every name that builds on others would be planned with all of their text again, which took 25 ms of each insert.
ALTER TABLE ai_calls_mv ${on_cluster} MODIFY QUERY
SELECT
    project, use_case, started_at, duration_ns, call_id, if(response_id != '', response_id, call_id) AS call_key, trace_id, span_id, service,
    environment, release, task, provider, operation, model_name, model_version, prompt_version, served_by, guard_state, is_probe,
    attempt, retry_of, weight, output_label, output_value, output_text, output_probabilities, confidence, confidence_source,
    -- What the call says it cost holds; a price is looked up for the others, where there is one.
    ifNull(said_cost, reckoned_cost) AS cost,
    if(reckoned_cost IS NULL, '', price_label) AS label,
    if(label = '', said_currency, substring(label, 1, 3)) AS currency,
    if(label = '', said_cost_source, 'collector') AS cost_source,
    substring(label, 5) AS price_version,
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, error_type, session_id, user_id, input_numbers, input_strings,
    input_nulls, segments, flags, toInt8(1) AS sign, received_at, ingested_at, segment
FROM
(
    SELECT
        * EXCEPT (lists, labels),
        arrayFirstIndex(v -> v[1] <= toUnixTimestamp(started_at) AND v[2] <= ifNull(input_tokens, 0), lists) AS price_at,
        labels[price_at] AS price_label,
        if(said_cost IS NULL AND price_index > 0, tocsin_cost_v1(lists[price_at], toFloat64OrDefault(input_tokens, nan), toFloat64OrDefault(output_tokens, nan),
            toFloat64OrDefault(cache_read_tokens), toFloat64OrDefault(cache_write_tokens), duration_ns / 1e9), NULL) AS reckoned_cost,
        mapFromArrays(
            CAST(arrayFilter(s -> mapContains(input_strings, s) OR mapContains(InputNumbers, s), declared) AS Array(LowCardinality(String))) AS segment_names,
            arrayMap(s -> if(mapContains(input_strings, s), input_strings[s], toString(InputNumbers[s])), segment_names)
        ) AS segments
    FROM
    (
        WITH
            (SELECT declared FROM load_segments) AS declared_segments,
            (SELECT names_lists_labels FROM load_prices) AS known_prices
        SELECT
            *,
            declared_segments[concat(project, '\n', use_case)] AS declared,
            concat('\n', provider, '\n', model_name) AS price_name,
            transform(concat(project, price_name), known_prices.1, arrayEnumerate(known_prices.1), 0) AS own_price,
            if(own_price > 0, own_price, transform(price_name, known_prices.1, arrayEnumerate(known_prices.1), 0)) AS price_index,
            known_prices.2[price_index] AS lists,
            known_prices.3[price_index] AS labels
        FROM
        (
            WITH (SELECT rules FROM load_use_case_rules) AS use_case_rules
            SELECT
                *,
                multiIf(said_model != '', said_model, response_model != '', response_model, request_model) AS model_name,
                multiIf(said_use_case != '', said_use_case, mapped_use_case != '', mapped_use_case,
                    concat(service, '/', if(model_name != '', model_name, SpanName))) AS use_case,
                arrayFirst(m -> m[1] = project
                    AND (m[2] = '' OR m[2] = service) AND (m[3] = '' OR m[3] = SpanName)
                    AND (m[4] = '' OR m[4] = route) AND (m[5] = '' OR m[5] = function_name)
                    AND (m[6] = '' OR m[6] = model_name), use_case_rules)[7] AS mapped_use_case,
                if(said_call_id != '', said_call_id, concat(trace_id, span_id)) AS call_id,
                -- OpenInference keeps the response's id where it keeps the response.
                multiIf(said_response_id != '', said_response_id,
                    span_role = 'LLM', extract(substring(shown_output, 1, 200), '"id"\\s*:\\s*"([^"]+)"'), '') AS response_id,
                multiIf(said_operation != '', said_operation, span_role = 'LLM', 'chat', span_role = 'EMBEDDING', 'embeddings', '') AS operation,
                if(said_model_version != '', said_model_version, response_model) AS model_version,
                if(said_prompt_version != '', said_prompt_version, other_prompt_version) AS prompt_version,
                if(said_served_by = '', 'model', said_served_by) AS served_by,
                if(said_weight > 0 AND isFinite(said_weight), assumeNotNull(said_weight), 1.) AS weight,
                if(isFinite(said_value), said_value, NULL) AS output_value,
                if(said_confidence >= 0 AND said_confidence <= 1, said_confidence, NULL) AS confidence,
                multiIf(said_error != '', said_error, StatusCode = 'Error', 'error', '') AS error_type,
                mapFilter((k, v) -> isFinite(v), InputNumbers) AS input_numbers,
                arrayDistinct(arrayConcat(JSONExtract(said_nulls, 'Array(String)'),
                    arrayFilter((k, v) -> NOT isFinite(v), mapKeys(InputNumbers), mapValues(InputNumbers)))) AS input_nulls,
                arrayFilter(f -> f != '', arrayDistinct(arrayConcat(Flags, splitByChar(',', said_flags),
                    [if(confidence_text != '' AND confidence IS NULL, 'confidence_out_of_range', '')]))) AS flags
            FROM
            (
                -- What a call said, by whatever name. On low-cardinality keys indexOf compares numbers; SpanAttributes['…'] would
                -- compare strings, three times slower. Of several names for one thing a span carries one: greatest() finds where.
                WITH
                    mapKeys(SpanAttributes) AS keys,
                    mapValues(SpanAttributes) AS values
                SELECT
                    project, SpanName, StatusCode, InputNumbers, Flags, received_at, ingested_at, segment,
                    Timestamp AS started_at,
                    Duration AS duration_ns,
                    TraceId AS trace_id,
                    SpanId AS span_id,
                    ServiceName AS service,
                    ResourceAttributes['deployment.environment.name'] AS environment,
                    ResourceAttributes['service.version'] AS release,
                    InputStrings AS input_strings,
                    OutputProbabilities AS output_probabilities,
                    values[indexOf(keys, 'tocsin.use_case')] AS said_use_case,
                    values[indexOf(keys, 'tocsin.call.id')] AS said_call_id,
                    values[indexOf(keys, 'tocsin.model.name')] AS said_model,
                    values[greatest(indexOf(keys, 'gen_ai.response.model'), indexOf(keys, 'llm.model_name'), indexOf(keys, 'embedding.model_name'),
                        indexOf(keys, 'llm.response.model'))] AS response_model,
                    values[greatest(indexOf(keys, 'gen_ai.request.model'), indexOf(keys, 'llm.request.model_name'),
                        indexOf(keys, 'llm.request.model'))] AS request_model,
                    values[indexOf(keys, 'openinference.span.kind')] AS span_role,
                    values[indexOf(keys, 'traceloop.span.kind')] AS workflow_role,
                    values[greatest(indexOf(keys, 'gen_ai.operation.name'), indexOf(keys, 'llm.request.type'))] AS said_operation,
                    values[indexOf(keys, 'output.value')] AS shown_output,
                    values[indexOf(keys, 'gen_ai.response.id')] AS said_response_id,
                    values[indexOf(keys, 'tocsin.model.version')] AS said_model_version,
                    values[indexOf(keys, 'gen_ai.prompt.version')] AS said_prompt_version,
                    values[greatest(indexOf(keys, 'tocsin.prompt.version'), indexOf(keys, 'llm.prompt_template.version'),
                        indexOf(keys, 'traceloop.prompt.version'))] AS other_prompt_version,
                    values[indexOf(keys, 'tocsin.served_by')] AS said_served_by,
                    values[indexOf(keys, 'error.type')] AS said_error,
                    values[indexOf(keys, 'http.route')] AS route,
                    values[indexOf(keys, 'code.function.name')] AS function_name,
                    values[indexOf(keys, 'tocsin.confidence')] AS confidence_text,
                    toFloat64OrNull(confidence_text) AS said_confidence,
                    toFloat64OrNull(values[indexOf(keys, 'tocsin.output.value')]) AS said_value,
                    toFloat64OrNull(values[indexOf(keys, 'tocsin.weight')]) AS said_weight,
                    toDecimal64OrNull(values[indexOf(keys, 'tocsin.cost.amount')], 9) AS said_cost,
                    values[indexOf(keys, 'tocsin.cost.currency')] AS said_currency,
                    values[indexOf(keys, 'tocsin.cost.source')] AS said_cost_source,
                    values[indexOf(keys, 'tocsin.task')] AS task,
                    lower(values[greatest(indexOf(keys, 'gen_ai.provider.name'), indexOf(keys, 'gen_ai.system'), indexOf(keys, 'llm.provider'),
                        indexOf(keys, 'llm.system'))]) AS provider,
                    values[indexOf(keys, 'tocsin.guard.state')] AS guard_state,
                    values[indexOf(keys, 'tocsin.probe')] = 'true' AS is_probe,
                    toUInt16OrZero(values[indexOf(keys, 'tocsin.attempt')]) AS attempt,
                    values[indexOf(keys, 'tocsin.retry_of')] AS retry_of,
                    values[indexOf(keys, 'tocsin.output.label')] AS output_label,
                    values[indexOf(keys, 'tocsin.output.text')] AS output_text,
                    values[indexOf(keys, 'tocsin.confidence.source')] AS confidence_source,
                    toUInt64OrNull(values[greatest(indexOf(keys, 'gen_ai.usage.input_tokens'), indexOf(keys, 'gen_ai.usage.prompt_tokens'),
                        indexOf(keys, 'llm.token_count.prompt'), indexOf(keys, 'llm.usage.prompt_tokens'))]) AS input_tokens,
                    toUInt64OrNull(values[greatest(indexOf(keys, 'gen_ai.usage.output_tokens'), indexOf(keys, 'gen_ai.usage.completion_tokens'),
                        indexOf(keys, 'llm.token_count.completion'), indexOf(keys, 'llm.usage.completion_tokens'))]) AS output_tokens,
                    toUInt64OrNull(values[greatest(indexOf(keys, 'gen_ai.usage.cache_read.input_tokens'), indexOf(keys, 'gen_ai.usage.cache_read_input_tokens'),
                        indexOf(keys, 'llm.token_count.prompt_details.cache_read'))]) AS cache_read_tokens,
                    toUInt64OrNull(values[greatest(indexOf(keys, 'gen_ai.usage.cache_creation.input_tokens'), indexOf(keys, 'gen_ai.usage.cache_write.input_tokens'),
                        indexOf(keys, 'gen_ai.usage.cache_creation_input_tokens'), indexOf(keys, 'llm.token_count.prompt_details.cache_write'))]) AS cache_write_tokens,
                    values[greatest(indexOf(keys, 'session.id'), indexOf(keys, 'gen_ai.conversation.id'))] AS session_id,
                    values[indexOf(keys, 'user.id')] AS user_id,
                    values[indexOf(keys, 'tocsin.null_inputs')] AS said_nulls,
                    values[indexOf(keys, 'tocsin.flags')] AS said_flags
                FROM spans_in
                WHERE said_use_case != '' OR said_call_id != ''
                    OR workflow_role = '' AND span_role IN ('', 'LLM', 'EMBEDDING')
                        AND (said_operation != '' OR request_model != '' OR response_model != '' OR span_role != '')
                        AND said_operation NOT IN ('create_agent', 'invoke_agent', 'invoke_workflow', 'execute_tool', 'plan', 'retrieval',
                            'search_memory', 'update_memory', 'create_memory_store', 'delete_memory', 'delete_memory_store', 'upsert_memory')
            )
        )
    )
);

ALTER TABLE ai_calls_1h_mv ${on_cluster} MODIFY QUERY
SELECT
    project, use_case, toStartOfHour(toDateTime(started_at, 'UTC')) AS hour, model_version, prompt_version,
    seg.1 AS segment_name, seg.2 AS segment_value, served_by, currency,
    sum(s) AS calls,
    sum(s * is_probe) AS probes,
    sumIf(s, error_type != '') AS errors,
    sumIf(s, attempt > 1) AS retries,
    sumIf(s, price IS NULL) AS unpriced,
    sumIf(s, confidence IS NOT NULL) AS confident,
    sum(s * ifNull(tokens_in, 0)) AS input_tokens,
    sum(s * ifNull(tokens_out, 0)) AS output_tokens,
    sum(ifNull(price, toDecimal64(0, 9)) * s) AS cost
FROM
(
    SELECT
        project, use_case, started_at, model_version, prompt_version, served_by, currency, is_probe, error_type, attempt,
        confidence, input_tokens AS tokens_in, output_tokens AS tokens_out, ai_calls.cost AS price, toInt64(sign) AS s,
        arrayPushFront(arrayZip(mapKeys(segments), mapValues(segments)), ('', '')) AS segs
    FROM ai_calls
)
ARRAY JOIN segs AS seg
GROUP BY project, use_case, hour, model_version, prompt_version, segment_name, segment_value, served_by, currency;

-- Inputs count whoever answered; confidence, output and latency only when the model was asked. Grouped by one number for all of a
-- cell's names: a call has a cell for each input, and grouping millions of them by eleven columns took half as long again.
ALTER TABLE input_histogram_1h_mv ${on_cluster} MODIFY QUERY
SELECT
    any(c.project) AS project, any(c.use_case) AS use_case, any(cell.1) AS kind, any(cell.2) AS field, any(c.hour) AS hour,
    any(c.model_version) AS model_version, any(c.prompt_version) AS prompt_version,
    any(seg.1) AS segment_name, any(seg.2) AS segment_value, any(cell.3) AS bin, any(cell.4) AS category, sum(s) AS n
FROM
(
    SELECT
        project, use_case, toStartOfHour(toDateTime(started_at, 'UTC')) AS hour, model_version, prompt_version, toInt64(sign) AS s,
        cityHash64(project, use_case, hour, model_version, prompt_version) AS names,
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
) AS c
ARRAY JOIN segs AS seg
ARRAY JOIN cells AS cell
GROUP BY cityHash64(names, seg, cell);
