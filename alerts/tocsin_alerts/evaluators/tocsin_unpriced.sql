/*
summary = "Share of the last day's calls whose cost nobody knows"
unit    = "share"
clock   = "wall"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "LowCardinality(String)"
use_case = "String"
priced   = "LowCardinality(String)"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
n        = "UInt64"
*/
-- Of use cases whose calls count tokens: a model of one's own has no price list. Its label names the use case.
-- Whole hours.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT project, use_case AS priced, toUnixTimestamp(hour) AS at, sum(calls) AS made, sum(unpriced) AS unknown, sum(input_tokens) AS tokens
        FROM ai_calls_1h
        WHERE segment_name = '' AND served_by != 'fallback' AND hour >= {since:DateTime('UTC')} - toIntervalDay(2) AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
    ),
    present AS
    (
        SELECT project, priced, groupArray(at) AS ats, groupArray((made, unknown, tokens)) AS counts
        FROM hours
        GROUP BY ALL
    ),
    judged AS
    (
        SELECT
            project, priced, slot_no * step AS ends, arrayFilter((c, a) -> a >= intDiv(ends, 3600) * 3600 - 86400 AND a < intDiv(ends, 3600) * 3600, counts, ats) AS day,
            arraySum(c -> c.1, day) AS made, arraySum(c -> c.2, day) AS unknown, arraySum(c -> c.3, day) AS tokens
        FROM (SELECT project, priced, ats, counts, arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no FROM present)
    )
SELECT
    project, 'tocsin' AS use_case, priced, toDateTime64(ends, 3, 'UTC') AS slot,
    toNullable(unknown / made) AS value, value AS lower, value AS upper, toUInt64(made) AS n
FROM judged
WHERE made > 0 AND tokens > 0
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
