/*
summary = "Mean output tokens of a day's calls, by version"
unit    = "tokens"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
n              = "UInt64"
*/
-- Window: one day; of all calls, so that calls that say no tokens pull it down: a mean of known ones cannot be told from sums.
-- NULL where none said any. Baseline: the use case's mean over the 28 days before, every version together, so that a new model's
-- habits show; NULL under 200 calls. Length, not words: answers cut short and answers that ramble both show here.
-- Interval: a ratio estimator with hours as clusters; none under six hours. Source: Cochran (1977), Sampling Techniques, section 6.3.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT project, use_case, model_version, prompt_version, toUnixTimestamp(hour) AS at, toFloat64(sum(output_tokens)) AS tokens, toFloat64(sum(calls - errors)) AS rows
        FROM ai_calls_1h
        WHERE segment_name = '' AND served_by != 'fallback' AND hour >= {since:DateTime('UTC')} - 2505600 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
        HAVING rows > 0
    ),
    whole AS
    (
        SELECT project, use_case, groupArray(at) AS all_ats, groupArray(tokens) AS all_tokens, groupArray(rows) AS all_rows
        FROM hours
        GROUP BY ALL
        HAVING sum(tokens) > 0
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, groupArray(at) AS ats, groupArray(tokens) AS amounts, groupArray(rows) AS counts,
            arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no
        FROM hours
        GROUP BY project, use_case, model_version, prompt_version
    ),
    measured AS
    (
        SELECT *,
            slot_no * step AS until,
            arrayMap(a -> toUInt8(a + 3600 <= until AND a + 86400 >= until), ats) AS now,
            arraySum((t, c) -> t * c, now, counts) AS calls,
            arraySum((t, c) -> t * c, now, amounts) / calls AS mean,
            arraySum(now) AS clusters,
            1.96 * sqrt(clusters / (clusters - 1) * arraySum((t, m, c) -> t * pow(m - mean * c, 2), now, amounts, counts)) / calls AS error,
            arraySum((a, c) -> if(a + 86400 < until AND a + 2505600 >= until, c, 0.), all_ats, all_rows) AS then_calls,
            arraySum((a, c) -> if(a + 86400 < until AND a + 2505600 >= until, c, 0.), all_ats, all_tokens) / then_calls AS then_mean
        FROM present INNER JOIN whole USING (project, use_case)
    )
SELECT
    project, use_case, model_version, prompt_version, toDateTime64(until, 3, 'UTC') AS slot,
    toNullable(mean) AS value,
    if(clusters >= 6, toNullable(greatest(0., mean - error)), NULL) AS lower,
    if(clusters >= 6, toNullable(mean + error), NULL) AS upper,
    if(then_calls >= 200, toNullable(then_mean), NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
WHERE calls > 0
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
