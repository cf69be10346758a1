/*
summary = "Share of a day's numbers that lie beyond the range of the reference"
unit    = "share"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "LowCardinality(String)"
use_case = "LowCardinality(String)"
field    = "LowCardinality(String)"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
baseline = "Nullable(Float64)"
n        = "UInt64"
*/
-- Window: one day, whichever version answered. Beyond: in a bin (2 % wide) below the reference's least or above its greatest, so
-- a number that barely passes the edge is not counted. NULL before a reference of 200 numbers is frozen. Baseline: 0.
-- Interval: Wilson.
WITH
    {step_s:UInt32} AS step,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    -- Whole days where slots are midnights: the store has their sums ready (the projection by_day).
    if({step_s:UInt32} % 86400 = 0, 86400, 3600) AS grain,
    present AS
    (
        SELECT
            project, use_case, field, groupArray(bin) AS bins, groupArray(n) AS counts, sum(n) AS calls,
            arrayJoin(range(
                greatest(intDiv((unit + 1) * grain - 1 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(unit * grain + 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM
        (
            SELECT project, use_case, field, bin, intDiv(toUnixTimestamp(hour), grain) AS unit, sum(c.n) AS n
            FROM input_histogram_1h AS c
            WHERE kind = 'number' AND segment_name = ''
                AND unit >= intDiv(first_end - 86400, grain) AND unit < intDiv(toUnixTimestamp({until:DateTime('UTC')}) + grain - 1, grain)
            GROUP BY project, use_case, field, bin, unit
        )
        GROUP BY project, use_case, field, slot_no
        HAVING calls > 0
    ),
    past AS
    (
        SELECT project, use_case, field, model_version AS its_model, prompt_version AS its_prompt, until, edges, n AS then_calls
        FROM reference_profiles FINAL
        WHERE kind = 'number'
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known
        FROM present LEFT JOIN past USING (project, use_case, field)
        ORDER BY known DESC, until DESC, its_model DESC, its_prompt DESC
        LIMIT 1 BY project, use_case, field, slot_no
    ),
    measured AS
    (
        SELECT *,
            arraySum((b, c) -> if(b < edges[1] OR b > edges[-1], c, 0), bins, counts) AS beyond,
            known AND then_calls >= 200 AS enough
        FROM paired
    )
SELECT
    project, use_case, field, slot,
    if(enough, toNullable(beyond / calls), NULL) AS value,
    if(enough, toNullable(tocsin_wilson_v1(beyond, calls, -1.96)), NULL) AS lower,
    if(enough, toNullable(tocsin_wilson_v1(beyond, calls, 1.96)), NULL) AS upper,
    if(enough, 0., NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
