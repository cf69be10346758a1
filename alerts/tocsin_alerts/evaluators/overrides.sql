/*
summary = "Share of a week's calls whose answer a person replaced by another"
unit    = "share"
window  = "7d"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "LowCardinality(String)"
use_case = "LowCardinality(String)"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
baseline = "Nullable(Float64)"
n        = "UInt64"
*/
-- Replaced: feedback on the call names another label than the answer's, or says "wrong" of a source that is called edit or override.
-- Reviews and ground truth are not what users do. Window: seven days by the time of the call, every version together; who says
-- nothing has kept the answer. Baseline: the 28 days before. NULL without any feedback in both (nobody records it), and under 200 calls.
-- Interval: Wilson.
WITH
    {step_s:UInt32} AS step,
    said AS
    (
        SELECT
            project, use_case, toUnixTimestamp(toStartOfHour(started_at, 'UTC')) AS at, call_id,
            max(label != '' AND predicted_label != '' AND label != predicted_label
                OR match(lower(source), 'edit|override') AND ifNull(correct, 0) = 0 AND (label = '' OR label != predicted_label)) AS is_replaced
        FROM outcomes FINAL
        WHERE kind = 'feedback' AND (served_by != 'fallback' OR is_probe) AND started_at >= {since:DateTime('UTC')} - 3110400 AND started_at < {until:DateTime('UTC')}
        GROUP BY ALL
    ),
    replaced AS (SELECT project, use_case, at, count() AS spoken, sum(is_replaced) AS replacements FROM said GROUP BY ALL),
    traffic AS
    (
        SELECT project, use_case, toUnixTimestamp(hour) AS at, sum(calls) AS rows
        FROM ai_calls_1h
        WHERE segment_name = '' AND served_by != 'fallback' AND hour >= {since:DateTime('UTC')} - 3110400 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
        HAVING rows > 0
    ),
    measured AS
    (
        SELECT
            project, use_case, groupArray(at) AS ats, groupArray(rows) AS counts, groupArray(replacements) AS changes, groupArray(spoken) AS words,
            arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no,
            slot_no * step AS until,
            toFloat64(arraySum((a, c) -> if(a < until AND a + 604800 >= until, c, 0), ats, counts)) AS calls,
            toFloat64(arraySum((a, c) -> if(a < until AND a + 604800 >= until, c, 0), ats, changes)) AS bad,
            arraySum((a, c) -> if(a < until AND a + 3024000 >= until, c, 0), ats, words) AS heard,
            arraySum((a, c) -> if(a + 604800 < until AND a + 3024000 >= until, c, 0), ats, counts) AS then_calls,
            arraySum((a, c) -> if(a + 604800 < until AND a + 3024000 >= until, c, 0), ats, changes) AS then_bad,
            calls >= 200 AND heard > 0 AS enough
        FROM traffic LEFT JOIN replaced USING (project, use_case, at)
        GROUP BY project, use_case
    )
SELECT
    project, use_case, toDateTime64(until, 3, 'UTC') AS slot,
    if(enough, toNullable(least(1., bad / calls)), NULL) AS value,
    if(enough, toNullable(tocsin_wilson_v1(least(bad, calls), calls, -1.96)), NULL) AS lower,
    if(enough, toNullable(tocsin_wilson_v1(least(bad, calls), calls, 1.96)), NULL) AS upper,
    if(enough AND then_calls >= 200, toNullable(then_bad / then_calls), NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
WHERE calls > 0
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
