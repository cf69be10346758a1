/*
summary = "Share of an hour's calls to the model that failed"
unit    = "share"
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
-- Window: the last whole hour. Of calls that the model answered or failed to answer: what a fallback served is left out. Of all
-- versions together: a failed call often names no model, so by version all failures would be of a version of their own.
-- Baseline: the share in the 28 days that end a day before the hour; an incident takes weeks to become its own baseline.
-- It is rolling: errors are not a quality that is frozen, and a use case must be watched on its second day. NULL under 200 calls.
-- Interval: Wilson.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT project, use_case, toUnixTimestamp(hour) AS at, sum(errors) AS failed, sum(calls) AS rows
        FROM ai_calls_1h
        WHERE segment_name = '' AND served_by != 'fallback' AND hour >= {since:DateTime('UTC')} - 2512800 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
        HAVING rows > 0
    ),
    present AS
    (
        SELECT
            project, use_case, groupArray(at) AS ats, groupArray(rows) AS counts, groupArray(failed) AS failures,
            arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no
        FROM hours
        GROUP BY project, use_case
    ),
    measured AS
    (
        SELECT *,
            intDiv(slot_no * step, 3600) * 3600 AS whole,
            indexOf(ats, whole - 3600) AS place,
            toFloat64(counts[place]) AS rows, toFloat64(failures[place]) AS bad,
            arraySum((a, c) -> if(a < whole - 90000 AND a + 2509200 >= whole, c, 0), ats, counts) AS then_rows,
            arraySum((a, c) -> if(a < whole - 90000 AND a + 2509200 >= whole, c, 0), ats, failures) AS then_bad
        FROM present
    )
SELECT
    project, use_case, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    toNullable(bad / rows) AS value,
    toNullable(tocsin_wilson_v1(bad, rows, -1.96)) AS lower,
    toNullable(tocsin_wilson_v1(bad, rows, 1.96)) AS upper,
    if(then_rows >= 200, toNullable(then_bad / then_rows), NULL) AS baseline,
    toUInt64(rows) AS n
FROM measured
WHERE rows > 0
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
