/*
summary = "Accuracy as it was estimated without labels, less what the labels then said"
unit    = "share"
window  = "7d"
lag     = "label delay"
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
-- Window: seven days of calls, ending the plan's label delay (seven days without a plan) before the slot: the estimate of all of them
-- by their confidence (as estimated_accuracy), and what people or the truth said of those that they labelled, last word first.
-- Above 0 the estimate was too kind: confidence no longer means what it did, which no estimate without labels can see.
-- Interval: normal, of labels, calls and calibration together, as if one more wrong and one more right answer had been seen. NULL under 50
-- labels or without a calibration. Baseline 0. Assumes that labelled calls are a fair sample; those drawn for review are not, and are left out. n: labels.
-- Source: Białek et al. (2024), Estimating Model Performance Under Covariate Shift Without Labels, which describes CBPE; Agresti and Coull (1998).
WITH
    {step_s:UInt32} AS step,
    (SELECT max(label_delay_s) FROM plans) AS longest_delay,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    -- Whole days where slots are midnights: the store has their sums ready (the projection by_day).
    if({step_s:UInt32} % 86400 = 0 AND (SELECT countIf(label_delay_s % 86400 != 0) FROM plans) = 0, 86400, 3600) AS grain,
    delays AS (SELECT project, use_case, label_delay_s, 1 AS has_plan FROM plans FINAL),
    verdicts AS
    (
        SELECT
            project, use_case, model_version, prompt_version, intDiv(toUnixTimestamp(started_at), grain) AS unit,
            assumeNotNull(ifNull(correct, score >= 0.5)) AS is_right, kind = 'review' AND weight > 1 AS is_drawn
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 604800 - greatest(604800, longest_delay) AND started_at < {until:DateTime('UTC')}
            AND kind IN ('review', 'ground_truth') AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
        ORDER BY project, call_id, kind = 'ground_truth' DESC, observed_at DESC, outcome_id DESC
        LIMIT 1 BY project, call_id
    ),
    cells AS
    (
        SELECT project, use_case, model_version, prompt_version, unit, -1 AS doubt, toInt64(count()) AS rows, toInt64(sum(is_right)) AS hits
        FROM verdicts
        WHERE NOT is_drawn
        GROUP BY ALL
        UNION ALL
        SELECT project, use_case, model_version, prompt_version, intDiv(toUnixTimestamp(hour), grain) AS unit, toInt32(bin) AS doubt, sum(n) AS rows, toInt64(0) AS hits
        FROM input_histogram_1h
        WHERE kind = 'confidence' AND segment_name = ''
            AND unit >= intDiv(first_end - 604800 - greatest(604800, longest_delay), grain)
            AND unit < intDiv(toUnixTimestamp({until:DateTime('UTC')}) + grain - 1, grain)
        GROUP BY ALL
    ),
    slots AS
    (
        SELECT
            project, use_case, model_version, prompt_version, doubt, sum(rows) AS its_rows, sum(hits) AS its_hits,
            arrayJoin(range(
                greatest(intDiv((unit + 1) * grain - 1 + delay_s + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(unit * grain + delay_s + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM (SELECT *, if(has_plan, label_delay_s, 604800) AS delay_s FROM cells LEFT JOIN delays USING (project, use_case))
        GROUP BY ALL
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, slot_no,
            groupArrayIf(doubt, doubt >= 0) AS doubts, groupArrayIf(its_rows, doubt >= 0) AS counts, sumIf(its_rows, doubt >= 0) AS calls,
            sumIf(its_rows, doubt < 0) AS known_calls, sumIf(its_hits, doubt < 0) AS right_calls
        FROM slots
        GROUP BY ALL
        HAVING known_calls > 0
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, bins, precision, labels
        FROM calibrations FINAL
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
            known AND notEmpty(bins) AND known_calls >= 50 AND calls > 0 AS enough,
            arrayMap(c -> c / calls, tocsin_bucket_counts_v1(bins, doubts, counts)) AS shares,
            arraySum((s, p) -> s * p, shares, precision) AS mean,
            arraySum((s, p, l) -> s * s * (p * l + 1) * (l - p * l + 1) / pow(l + 2, 3), shares, precision, labels) AS variance,
            mean - right_calls / known_calls AS difference,
            1.96 * sqrt((right_calls + 1) * (known_calls - right_calls + 1) / pow(known_calls + 2, 3) + mean * (1 - mean) / calls + variance) AS error
        FROM paired
    )
SELECT
    project, use_case, model_version, prompt_version, slot,
    if(enough, difference, NULL) AS value,
    if(enough, difference - error, NULL) AS lower,
    if(enough, difference + error, NULL) AS upper,
    if(enough, 0., NULL) AS baseline,
    toUInt64(known_calls) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
