/*
summary = "Accuracy of each declared segment without labels, from calibrated confidence (CBPE)"
unit    = "share"
window  = "7d"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32", min_n = "UInt64" }

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
segment_name   = "LowCardinality(String)"
segment_value  = "LowCardinality(String)"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
n              = "UInt64"
*/
-- Window: seven days of calls that asked the model. Each call counts as right with the share that calls of its confidence
-- had in the reference window; the baseline is the same estimate over that window. NULL without a calibration.
-- Interval: binomial, plus the uncertainty of the calibration itself.
-- Source: Białek et al. (2024), Estimating Model Performance Under Covariate Shift Without Labels, which describes CBPE.
-- Segments of fewer than min_n calls are left out.
WITH
    {step_s:UInt32} AS step,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    -- Whole days where slots are midnights: the store has their sums ready (the projection by_day).
    if({step_s:UInt32} % 86400 = 0, 86400, 3600) AS grain,
    cells AS
    (
        SELECT
            project, use_case, model_version, prompt_version, segment_name, segment_value, bin, sum(n) AS rows,
            arrayJoin(range(
                greatest(intDiv((unit + 1) * grain - 1 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(unit * grain + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM
        (
            SELECT project, use_case, model_version, prompt_version, segment_name, segment_value, bin, intDiv(toUnixTimestamp(hour), grain) AS unit, sum(c.n) AS n
            FROM input_histogram_1h AS c
            WHERE kind = 'confidence' AND segment_name != ''
                AND unit >= intDiv(first_end - 604800, grain) AND unit < intDiv(toUnixTimestamp({until:DateTime('UTC')}) + grain - 1, grain)
            GROUP BY project, use_case, model_version, prompt_version, segment_name, segment_value, bin, unit
        )
        GROUP BY ALL
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, segment_name, segment_value, slot_no,
            groupArray(bin) AS doubts, groupArray(rows) AS counts, sum(rows) AS calls
        FROM cells
        GROUP BY ALL
        HAVING calls >= {min_n:UInt64}
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, bins, precision, labels, segment_estimates AS then_estimate
        FROM calibrations FINAL
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, segment_name, segment_value, slot_no
    ),
    measured AS
    (
        SELECT *,
            known AND notEmpty(bins) AS enough,
            arrayMap(c -> c / calls, tocsin_bucket_counts_v1(bins, doubts, counts)) AS shares,
            arraySum((s, p) -> s * p, shares, precision) AS mean,
            arraySum((s, p, l) -> s * s * (p * l + 1) * (l - p * l + 1) / pow(l + 2, 3), shares, precision, labels) AS variance,
            1.96 * sqrt(mean * (1 - mean) / calls + variance) AS error
        FROM paired
    )
SELECT
    project, use_case, model_version, prompt_version, segment_name, segment_value, slot,
    if(enough, mean, NULL) AS value,
    if(enough, greatest(0., mean - error), NULL) AS lower,
    if(enough, least(1., mean + error), NULL) AS upper,
    if(enough, nullIf(then_estimate[concat(segment_name, '=', segment_value)], 0.), NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
