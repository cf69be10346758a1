/*
summary = "How far a week's values of each input field have moved from the reference (PSI, debiased)"
unit    = "nats"
window  = "7d"
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
-- Window: seven days, whichever version answered. Numbers by the reference's deciles (few distinct ones, one by one),
-- categories by value, rare and unseen ones together. NULL under 200 calls on either side, or before a reference is frozen.
-- Interval: PSI in units of its noise is a noncentral chi-square; its first two moments give the standard error.
WITH
    {step_s:UInt32} AS step,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    -- Whole days where slots are midnights: the store has their sums ready (the projection by_day).
    if({step_s:UInt32} % 86400 = 0, 86400, 3600) AS grain,
    cells AS
    (
        SELECT
            project, use_case, kind, field, bin, category,
            greatest(intDiv((intDiv(toUnixTimestamp(hour), grain) + 1) * grain - 1 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) AS first_slot,
            least(intDiv(intDiv(toUnixTimestamp(hour), grain) * grain + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) AS last_slot,
            sum(n) AS rows
        FROM input_histogram_1h
        WHERE kind IN ('number', 'category') AND segment_name = ''
            AND intDiv(toUnixTimestamp(hour), grain) >= intDiv(first_end - 604800, grain)
            AND intDiv(toUnixTimestamp(hour), grain) < intDiv(toUnixTimestamp({until:DateTime('UTC')}) + grain - 1, grain)
        GROUP BY project, use_case, kind, field, bin, category, first_slot, last_slot
    ),
    present AS
    (
        SELECT
            project, use_case, field, arrayJoin(range(first_slot, last_slot + 1)) AS slot_no, groupArray(rows) AS counts, sum(rows) AS calls,
            groupArray(if(kind = 'number', bin, 32767)) AS bins, groupArray(if(kind = 'number', '\0', category)) AS texts
        FROM cells
        GROUP BY ALL
    ),
    past AS
    (
        SELECT project, use_case, field, model_version AS its_model, prompt_version AS its_prompt, until, edges, names, figures AS expected, n AS then_calls
        FROM reference_profiles FINAL
        WHERE kind = 'input'
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known
        FROM present LEFT JOIN past USING (project, use_case, field)
        ORDER BY known DESC, until DESC, its_model DESC, its_prompt DESC
        LIMIT 1 BY project, use_case, field, slot_no
    ),
    counted AS
    (
        SELECT *,
            arrayConcat(tocsin_bucket_counts_v1(edges, bins, counts),
                arrayMap(k -> arraySum((v, c) -> if(v = k, c, 0), texts, counts), names)) AS matched
        FROM paired
    ),
    measured AS
    (
        SELECT *,
            arrayResize(arrayPushBack(matched, calls - arraySum(matched)), length(expected)) AS seen,
            known AND calls >= 200 AND then_calls >= 200 AS enough,
            1 / calls + 1 / then_calls AS noise,
            tocsin_psi_v1(seen, expected, calls, then_calls) AS psi,
            1.96 * sqrt(2 * length(expected) * noise * noise + 4 * greatest(0., psi) * noise) AS error
        FROM counted
    )
SELECT
    project, use_case, field, slot,
    if(enough, greatest(0., psi), NULL) AS value,
    if(enough, greatest(0., psi - error), NULL) AS lower,
    if(enough, greatest(0., psi + error), NULL) AS upper,
    if(enough, 0., NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
