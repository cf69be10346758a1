/*
summary = "Share of a day's calls to the model that failed, in each declared segment, with intervals that hold for all at once"
unit    = "share"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32", min_n = "UInt64" }

[columns]
project       = "LowCardinality(String)"
use_case      = "LowCardinality(String)"
segment_name  = "LowCardinality(String)"
segment_value = "LowCardinality(String)"
slot          = "DateTime64(3, 'UTC')"
value         = "Nullable(Float64)"
lower         = "Nullable(Float64)"
upper         = "Nullable(Float64)"
baseline      = "Nullable(Float64)"
n             = "UInt64"
*/
-- Window: one day, of whole hours. Of calls that the model answered or failed to answer, of all versions together, as in error_rate.
-- Baseline: the segment's own share in the 28 days that end a day before the window. NULL under min_n calls.
-- Interval: Wilson, at 95 % for all segments of a use case together (Bonferroni), so that looking at more of them finds no more by
-- chance. Segments of fewer than min_n calls are left out, and not counted.
-- Source: Wilson (1927); Dunn (1961), Multiple Comparisons among Means; Abramowitz and Stegun (1964), 26.2.23, for the quantile.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT project, use_case, segment_name, segment_value, toUnixTimestamp(hour) AS at, sum(errors) AS failed, sum(calls) AS rows
        FROM ai_calls_1h
        WHERE segment_name != '' AND served_by != 'fallback' AND hour >= {since:DateTime('UTC')} - 2599200 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
        HAVING rows > 0
    ),
    present AS
    (
        SELECT
            project, use_case, segment_name, segment_value, groupArray(at) AS ats, groupArray(rows) AS counts, groupArray(failed) AS failures,
            arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no
        FROM hours
        GROUP BY project, use_case, segment_name, segment_value
    ),
    measured AS
    (
        SELECT *,
            intDiv(slot_no * step, 3600) * 3600 AS whole,
            toFloat64(arraySum((a, c) -> if(a < whole AND a + 86400 >= whole, c, 0), ats, counts)) AS calls,
            toFloat64(arraySum((a, c) -> if(a < whole AND a + 86400 >= whole, c, 0), ats, failures)) AS bad,
            arraySum((a, c) -> if(a + 172800 < whole AND a + 2592000 >= whole, c, 0), ats, counts) AS then_calls,
            arraySum((a, c) -> if(a + 172800 < whole AND a + 2592000 >= whole, c, 0), ats, failures) AS then_bad
        FROM present
    ),
    compared AS
    (
        SELECT *,
            sqrt(-2 * log(0.025 / count() OVER (PARTITION BY project, use_case, slot_no))) AS t,
            t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t) AS z
        FROM measured
        WHERE calls >= {min_n:UInt64} AND calls > 0
    )
SELECT
    project, use_case, segment_name, segment_value, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    toNullable(bad / calls) AS value,
    toNullable(tocsin_wilson_v1(bad, calls, -z)) AS lower,
    toNullable(tocsin_wilson_v1(bad, calls, z)) AS upper,
    if(then_calls >= {min_n:UInt64}, toNullable(then_bad / then_calls), NULL) AS baseline,
    toUInt64(calls) AS n
FROM compared
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
