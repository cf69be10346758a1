/*
summary = "How far a day's confidence has moved from the reference, over its deciles (PSI, debiased)"
unit    = "nats"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
n              = "UInt64"
*/
-- Window: one day. NULL under 200 calls on either side, or before a reference is frozen. A version without a reference of
-- its own is compared with the latest of its use case.
-- Baseline: how far the most unlike day of the reference was from the whole of it; 0 where that is not known.
-- Interval: PSI in units of its noise is a noncentral chi-square; its first two moments give the standard error.
WITH
    {step_s:UInt32} AS step,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    -- Whole days where slots are midnights: the store has their sums ready (the projection by_day).
    if({step_s:UInt32} % 86400 = 0, 86400, 3600) AS grain,
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, groupArray(bin) AS bins, groupArray(n) AS counts, sum(n) AS calls,
            arrayJoin(range(
                greatest(intDiv((unit + 1) * grain - 1 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(unit * grain + 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM
        (
            SELECT project, use_case, model_version, prompt_version, bin, intDiv(toUnixTimestamp(hour), grain) AS unit, sum(c.n) AS n
            FROM input_histogram_1h AS c
            WHERE kind = 'confidence' AND segment_name = ''
                AND unit >= intDiv(first_end - 86400, grain) AND unit < intDiv(toUnixTimestamp({until:DateTime('UTC')}) + grain - 1, grain)
            GROUP BY project, use_case, model_version, prompt_version, bin, unit
        )
        GROUP BY ALL
    ),
    past AS
    (
        SELECT
            project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, anyIf(p.edges, kind = 'confidence') AS edges,
            anyIf(p.figures, kind = 'confidence') AS expected, anyIf(p.n, kind = 'confidence') AS then_calls,
            anyIf(p.figures[1], kind = 'confidence_day') AS ordinary
        FROM reference_profiles AS p FINAL
        WHERE kind IN ('confidence', 'confidence_day')
        GROUP BY project, use_case, its_model, its_prompt, until
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, slot_no
    ),
    measured AS
    (
        SELECT *,
            tocsin_bucket_counts_v1(edges, bins, counts) AS seen,
            known AND calls >= 200 AND then_calls >= 200 AS enough,
            1 / calls + 1 / then_calls AS noise,
            tocsin_psi_v1(seen, expected, calls, then_calls) AS psi,
            1.96 * sqrt(2 * length(expected) * noise * noise + 4 * greatest(0., psi) * noise) AS error
        FROM paired
    )
SELECT
    project, use_case, model_version, prompt_version, slot,
    if(enough, greatest(0., psi), NULL) AS value,
    if(enough, greatest(0., psi - error), NULL) AS lower,
    if(enough, greatest(0., psi + error), NULL) AS upper,
    if(enough, ordinary, NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
