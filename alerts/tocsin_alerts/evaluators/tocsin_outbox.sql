/*
summary = "Age of the oldest message of a channel that could not be delivered"
unit    = "s"
clock   = "wall"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "String"
use_case = "String"
channel  = "LowCardinality(String)"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
n        = "UInt64"
*/
-- Tried at least once and still waiting, or given up within the last day. Counted from the slot that it speaks of; n is how many.
-- A resolve that is dead because the firing never arrived adds nothing.
WITH
    {step_s:UInt32} AS step,
    known AS
    (
        SELECT
            channel, countIf(is_stuck) AS messages, minIf(slot, is_stuck) AS oldest
        FROM
        (
            SELECT channel, slot, (state = 'pending' AND attempts > 0) OR (state = 'dead' AND attempts > 0 AND at > {until:DateTime('UTC')} - toIntervalDay(1)) AS is_stuck
            FROM notifications FINAL
            WHERE at > {since:DateTime('UTC')} - toIntervalDay(7)
        )
        GROUP BY channel
    )
SELECT
    'default' AS project, 'tocsin' AS use_case, channel, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    toNullable(if(messages > 0, greatest(1., toFloat64(dateDiff('second', oldest, slot))), 0.)) AS value, value AS lower, value AS upper,
    toUInt64(greatest(messages, 1)) AS n
FROM (SELECT channel, messages, oldest, arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no FROM known)
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
