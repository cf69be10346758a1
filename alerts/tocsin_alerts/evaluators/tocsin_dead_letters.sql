/*
summary = "Requests that were set aside because they cannot be stored"
unit    = "requests"
clock   = "wall"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "String"
use_case = "String"
kind     = "String"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
n        = "UInt64"
*/
-- They stay until somebody retries them or throws them away.
WITH
    {step_s:UInt32} AS step,
    letters AS
    (
        SELECT arrayJoin(['traces', 'logs', 'outcomes']) AS kind, countIf(its_kind = kind) AS requests
        FROM (SELECT toString(kind) AS its_kind FROM dead_letters FINAL UNION ALL SELECT '' AS its_kind)
        GROUP BY kind
    )
SELECT
    'default' AS project, 'tocsin' AS use_case, kind, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    toNullable(toFloat64(requests)) AS value, value AS lower, value AS upper, toUInt64(requests) AS n
FROM (SELECT kind, requests, arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no FROM letters)
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
