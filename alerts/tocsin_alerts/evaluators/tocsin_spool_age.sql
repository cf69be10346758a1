/*
summary = "Age of the oldest that a collector has acknowledged and not yet stored"
unit    = "s"
clock   = "wall"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "String"
use_case = "String"
collector = "String"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
n        = "UInt64"
*/
-- As it said when it was last heard of: how far it had loaded, against then. Evaluation of the data waits for it.
WITH
    {step_s:UInt32} AS step,
    heard AS
    (
        SELECT collector, max(at) AS heard_at, argMax(complete_to, at) AS loaded_to, argMax(state, at) AS its_state
        FROM watermarks
        GROUP BY collector
        HAVING its_state != 'ended'
    )
SELECT
    'default' AS project, 'tocsin' AS use_case, collector, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    toNullable(greatest(0., toFloat64(dateDiff('second', loaded_to, heard_at)))) AS value, value AS lower, value AS upper, toUInt64(1) AS n
FROM (SELECT collector, heard_at, loaded_to, arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no FROM heard)
WHERE heard_at > slot - toIntervalDay(7)
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
