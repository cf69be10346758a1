/*
summary = "Time since any slot of the data was last evaluated"
unit    = "s"
clock   = "wall"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "String"
use_case = "String"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
n        = "UInt64"
*/
-- Some rules are evaluated every hour: more than two hours is a collector that evaluation waits for, or an evaluator that stands still.
-- What tocsin looks at in itself does not wait for data, and does not count.
WITH
    {step_s:UInt32} AS step,
    done AS (SELECT max(slot) AS done_to FROM rule_runs WHERE state = 'done' AND NOT startsWith(rule, 'tocsin-'))
SELECT
    'default' AS project, 'tocsin' AS use_case, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    toNullable(greatest(0., toFloat64(dateDiff('second', done_to, slot)))) AS value, value AS lower, value AS upper, toUInt64(1) AS n
FROM (SELECT done_to, arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no FROM done WHERE done_to > 0)
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
