/*
summary = "Share of a day's calls that were second or later attempts"
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
-- Window: one day, every version together (who retries is the caller). Every attempt is a call and is costed, so a retry rate of
-- 0.1 is a tenth of the bill. Baseline: the 28 days before the day; NULL under 200 calls of them.
-- Interval: Wilson.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT project, use_case, toUnixTimestamp(hour) AS at, sum(retries) AS again, sum(calls) AS rows
        FROM ai_calls_1h
        WHERE segment_name = '' AND served_by != 'fallback' AND hour >= {since:DateTime('UTC')} - 2505600 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
        HAVING rows > 0
    ),
    present AS
    (
        SELECT
            project, use_case, groupArray(at) AS ats, groupArray(rows) AS counts, groupArray(again) AS repeats,
            arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no
        FROM hours
        GROUP BY project, use_case
    ),
    measured AS
    (
        SELECT *,
            slot_no * step AS until,
            toFloat64(arraySum((a, c) -> if(a + 3600 <= until AND a + 86400 >= until, c, 0), ats, counts)) AS rows,
            toFloat64(arraySum((a, c) -> if(a + 3600 <= until AND a + 86400 >= until, c, 0), ats, repeats)) AS bad,
            arraySum((a, c) -> if(a + 86400 < until AND a + 2505600 >= until, c, 0), ats, counts) AS then_rows,
            arraySum((a, c) -> if(a + 86400 < until AND a + 2505600 >= until, c, 0), ats, repeats) AS then_bad
        FROM present
    )
SELECT
    project, use_case, toDateTime64(until, 3, 'UTC') AS slot,
    toNullable(bad / rows) AS value,
    toNullable(tocsin_wilson_v1(bad, rows, -1.96)) AS lower,
    toNullable(tocsin_wilson_v1(bad, rows, 1.96)) AS upper,
    if(then_rows >= 200, toNullable(then_bad / then_rows), NULL) AS baseline,
    toUInt64(rows) AS n
FROM measured
WHERE rows > 0
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
