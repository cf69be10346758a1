/*
summary = "Time since the last hour that had a call, against the silence that hour of the week is used to"
unit    = "s"
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
-- Whole hours: 0 when the last one had a call; the interval is the hour in which the last call lies. Samples go on for 35
-- days after it; n counts their calls. Baseline: the longest silence, ending in this hour of the week (UTC), that chance
-- still gives once in a hundred times at the rates of the latest reference window. Nights that are always quiet are in it.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT project, use_case, toUnixTimestamp(hour) AS at, sum(calls) AS rows
        FROM ai_calls_1h
        WHERE segment_name = '' AND hour >= {since:DateTime('UTC')} - 3024000 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
        HAVING rows > 0
    ),
    present AS
    (
        SELECT project, use_case, groupArray(at) AS ats, groupArray(rows) AS counts
        FROM hours
        GROUP BY ALL
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, figures
        FROM reference_profiles FINAL
        WHERE kind = 'silence'
    ),
    paired AS
    (
        SELECT
            project, use_case, figures, until, arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known,
            intDiv(slot_no * step, 3600) * 3600 AS whole,
            arrayMax(a -> if(a < whole AND a + 3024000 >= whole, a, 0), ats) AS last_at,
            arraySum((a, c) -> if(a < whole AND a + 3024000 >= whole, c, 0), ats, counts) AS calls
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, until DESC, its_model DESC, its_prompt DESC
        LIMIT 1 BY project, use_case, slot_no
    )
SELECT
    project, use_case, slot,
    toNullable(toFloat64(whole - last_at - 3600)) AS value,
    value AS lower,
    value + 3600 AS upper,
    if(known AND until > 0, figures[(intDiv(whole, 3600) + 71) % 168 + 1], NULL) AS baseline,
    toUInt64(calls) AS n
FROM paired
WHERE last_at > 0
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
