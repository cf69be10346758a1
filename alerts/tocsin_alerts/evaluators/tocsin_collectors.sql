/*
summary = "Time since each collector was last heard of"
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
-- Each writes down a few times a minute how far it is. One that ended is no longer asked about, one that is gone for a week neither.
-- Until it has been silent for ten minutes evaluation waits for it; then slots are judged without what it received.
WITH
    {step_s:UInt32} AS step,
    heard AS
    (
        SELECT collector, max(at) AS heard_at, argMax(state, at) AS its_state
        FROM watermarks
        GROUP BY collector
        HAVING its_state != 'ended'
    )
SELECT
    'default' AS project, 'tocsin' AS use_case, collector, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    toNullable(greatest(0., toFloat64(dateDiff('second', heard_at, slot)))) AS value, value AS lower, value AS upper, toUInt64(1) AS n
FROM (SELECT collector, heard_at, arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no FROM heard)
WHERE heard_at > slot - toIntervalDay(7)
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
