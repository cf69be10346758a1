/*
summary = "Calls in the last whole hour, against what that hour of the week had in the reference"
unit    = "calls/h"
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
-- Zero is a measurement: a use case still gives samples for 35 days after its last call. Baseline: the mean of the same hour
-- of the week (UTC) over the latest reference window.
-- Interval: Poisson, by Byar's approximation.
-- Source: Breslow & Day (1987), Statistical Methods in Cancer Research II, page 69.
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
        WHERE kind = 'volume'
    ),
    paired AS
    (
        SELECT
            project, use_case, figures, until, arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known,
            intDiv(slot_no * step, 3600) * 3600 AS whole,
            counts[indexOf(ats, whole - 3600)] AS calls,
            arrayExists(a -> a < whole AND a + 3024000 >= whole, ats) AS is_in_use
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, until DESC, its_model DESC, its_prompt DESC
        LIMIT 1 BY project, use_case, slot_no
    )
SELECT
    project, use_case, slot,
    toNullable(toFloat64(calls)) AS value,
    toNullable(if(calls = 0, 0., calls * pow(1 - 1 / (9 * calls) - 1.96 / (3 * sqrt(calls)), 3))) AS lower,
    toNullable((calls + 1) * pow(1 - 1 / (9 * (calls + 1)) + 1.96 / (3 * sqrt(calls + 1)), 3)) AS upper,
    if(known AND until > 0, figures[(intDiv(whole, 3600) + 71) % 168 + 1], NULL) AS baseline,
    toUInt64(calls) AS n
FROM paired
WHERE is_in_use
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
