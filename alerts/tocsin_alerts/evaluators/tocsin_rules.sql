/*
summary = "For how long a rule of which no use case hears, or what is recorded once a day, has failed at the same slot"
unit    = "s"
clock   = "wall"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "String"
use_case = "String"
job      = "LowCardinality(String)"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
n        = "UInt64"
*/
-- A slot that fails is tried again and is not done: counted is from the first slot that failed after the last that was done.
-- A failure that goes on is recorded every hour; one that is not any more is of a rule that is gone.
-- A rule that has judged anything says under its own name, in each of its use cases, that it cannot be evaluated; it is not told twice.
WITH
    {step_s:UInt32} AS step,
    told AS (SELECT groupUniqArray(rule) FROM standing_alerts WHERE labels['overlay'] = 'error' AND state IN ('pending', 'firing')),
    runs AS
    (
        SELECT
            rule AS job, maxIf(slot, state = 'done') AS done_to, groupArrayIf(slot, state = 'failed' AND at > {since:DateTime('UTC')} - toIntervalHour(2)) AS failed,
            arrayMin(arrayFilter(s -> s > done_to, failed)) AS stuck_at,
            arrayExists(s -> s > done_to, failed) AND NOT has((SELECT * FROM told), rule) AS is_stuck
        FROM rule_runs FINAL
        WHERE at > {since:DateTime('UTC')} - toIntervalDay(2)
        GROUP BY rule
    )
SELECT
    'default' AS project, 'tocsin' AS use_case, job, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    toNullable(if(is_stuck, greatest(1., toFloat64(dateDiff('second', stuck_at, slot))), 0.)) AS value, value AS lower, value AS upper,
    toUInt64(1) AS n
FROM (SELECT job, is_stuck, stuck_at, arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no FROM runs)
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
