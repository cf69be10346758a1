/*
summary = "Share of a day's calls that ask again what the same session asked within ten minutes before"
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
-- Asked again: the session's call before this one succeeded, was at most ten minutes earlier, and had nearly the same input: of both
-- calls' fields together four in five agree (numbers in 10 % bins; a prompt's turn and the length of its history do not count).
-- A second attempt of the caller's own (attempt > 1) is a retry, not a regeneration. Calls without a session do not count.
-- Window: one day of whole hours that chance picks until they hold 2,000 calls of the use case (of a larger hour, some sessions), so cost does not grow with traffic.
-- Calls of an hour's first ten minutes only count as what was asked before. Baseline: the same weekday a week before.
-- NULL under 200 calls. Interval: Wilson; calls of one session are alike, so it is narrower than it should be.
WITH
    {step_s:UInt32} AS step,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    chosen AS
    (
        SELECT project, use_case, hour, arrayJoin(range(toUInt8(parts))) AS part
        FROM
        (
            SELECT project, use_case, hour, sum(calls) AS rows, least(64, greatest(1, intDiv(64 * 2000, rows))) AS parts,
                sum(rows) OVER (PARTITION BY project, use_case, intDiv(toUnixTimestamp(hour), 86400) ORDER BY cityHash64(toUnixTimestamp(hour) % 86400), hour) AS passed
            FROM ai_calls_1h
            WHERE segment_name = '' AND toUnixTimestamp(hour) >= intDiv(first_end - 691200, 86400) * 86400 AND hour < {until:DateTime('UTC')}
                AND (toUnixTimestamp(hour) >= intDiv(first_end - 86400, 86400) * 86400 OR hour < {until:DateTime('UTC')} - 604800)
            GROUP BY project, use_case, hour
            HAVING rows > 0
        )
        WHERE passed - rows < 2000
    ),
    calls AS
    (
        SELECT
            project, use_case, session_id, started_at, error_type, toStartOfHour(started_at, 'UTC') AS hour,
            arrayConcat(
                arrayMap((k, v) -> cityHash64(k, intDiv(tocsin_bin_v1(v), 5)), mapKeys(input_numbers) AS names, mapValues(input_numbers)),
                arrayMap((k, v) -> cityHash64(k, v), mapKeys(input_strings), mapValues(input_strings))) AS fields,
            arrayMap((k, f) -> if(k IN ('prompt.turn', 'prompt.context_chars'), 0, f), arrayConcat(mapKeys(input_numbers), mapKeys(input_strings)), fields) AS counted
        FROM ai_calls
        WHERE (project, use_case, toStartOfHour(started_at, 'UTC'), toUInt8(cityHash64(session_id) % 64)) IN (SELECT project, use_case, hour, part FROM chosen) AND started_at >= toDateTime(intDiv(first_end - 691200, 86400) * 86400, 'UTC') AND started_at < {until:DateTime('UTC')}
            AND session_id != '' AND attempt <= 1 AND served_by != 'fallback' AND sign = 1
    ),
    asked AS
    (
        SELECT project, use_case, hour, started_at,
            arrayFilter(f -> f != 0, counted) AS now,
            lagInFrame(now) OVER turns AS before,
            lagInFrame(started_at) OVER turns AS then_at,
            lagInFrame(error_type, 1, '-') OVER turns AS then_error,
            toMinute(started_at) >= 10 AS counts,
            counts AND notEmpty(now) AND then_error = '' AND started_at <= then_at + INTERVAL 10 MINUTE
                AND 5 * length(arrayIntersect(now, before)) >= 4 * length(arrayDistinct(arrayConcat(now, before))) AS is_again
        FROM calls
        WINDOW turns AS (PARTITION BY project, use_case, session_id, hour ORDER BY started_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ),
    hours AS
    (
        SELECT project, use_case, toUnixTimestamp(hour) AS at, sum(counts) AS rows, sum(is_again) AS again
        FROM asked
        GROUP BY ALL
        HAVING rows > 0
    ),
    measured AS
    (
        SELECT
            project, use_case, groupArray(at) AS ats, groupArray(rows) AS counts, groupArray(again) AS repeats,
            arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no,
            slot_no * step AS until,
            toFloat64(arraySum((a, c) -> if(a < until AND a + 86400 >= until, c, 0), ats, counts)) AS calls,
            toFloat64(arraySum((a, c) -> if(a < until AND a + 86400 >= until, c, 0), ats, repeats)) AS bad,
            arraySum((a, c) -> if(a + 604800 < until AND a + 691200 >= until, c, 0), ats, counts) AS then_calls,
            arraySum((a, c) -> if(a + 604800 < until AND a + 691200 >= until, c, 0), ats, repeats) AS then_bad
        FROM hours
        GROUP BY project, use_case
    )
SELECT
    project, use_case, toDateTime64(until, 3, 'UTC') AS slot,
    if(calls >= 200, toNullable(bad / calls), NULL) AS value,
    if(calls >= 200, toNullable(tocsin_wilson_v1(bad, calls, -1.96)), NULL) AS lower,
    if(calls >= 200, toNullable(tocsin_wilson_v1(bad, calls, 1.96)), NULL) AS upper,
    if(then_calls >= 200, toNullable(then_bad / then_calls), NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
WHERE calls > 0
-- Values as they were are binned here, zero among them: its logarithm must not be taken.
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'enable', do_not_merge_across_partitions_select_final = 1
