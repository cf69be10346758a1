/*
summary = "Accuracy of each declared segment without labels, from calibrated confidence (CBPE)"
unit    = "share"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

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
-- Source: Garcia et al. (2022), Estimating Model Performance under Covariate Shift Without Labels.
WITH
    {step_s:UInt32} AS step,
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, segment_name, segment_value, groupArray(bin) AS bins, groupArray(n) AS counts, sum(n) AS calls,
            arrayJoin(range(
                greatest(intDiv(toUnixTimestamp(hour) + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM input_histogram_1h
        WHERE kind = 'confidence' AND segment_name != '' AND hour >= {since:DateTime('UTC')} - 604800 AND hour < {until:DateTime('UTC')}
        GROUP BY project, use_case, model_version, prompt_version, segment_name, segment_value, slot_no
    ),
    past AS
    (
        SELECT
            project, use_case,
            groupArray((until, model_version, prompt_version, bins, precision, labels, segment_estimates)) AS versions
        FROM calibrations FINAL
        GROUP BY project, use_case
    ),
    paired AS
    (
        SELECT
            project, use_case, model_version, prompt_version, segment_name, segment_value, toDateTime64(slot_no * step, 3, 'UTC') AS slot, bins, counts, calls,
            arraySort(v -> (v.2 = model_version AND v.3 = prompt_version, v.1), arrayFilter(v -> v.1 <= slot, versions))[-1] AS ref
        FROM present LEFT JOIN past USING (project, use_case)
    ),
    counted AS
    (
        SELECT
            project, use_case, model_version, prompt_version, segment_name, segment_value, slot, calls, tocsin_bucket_counts_v1(ref.4, bins, counts) AS knots,
            ref.5 AS precision, ref.6 AS labels, ref.7 AS reference
        FROM paired
    ),
    measured AS
    (
        SELECT *,
            notEmpty(knots) AS known,
            arraySum((c, p) -> c * p, knots, precision) / calls AS estimate,
            arraySum((c, p, l) -> pow(c / calls, 2) * (p * l + 1) * (l - p * l + 1) / pow(l + 2, 3), knots, precision, labels) AS doubt,
            1.96 * sqrt(estimate * (1 - estimate) / calls + doubt) AS error
        FROM counted
    )
SELECT
    project, use_case, model_version, prompt_version, segment_name, segment_value, slot,
    if(known, estimate, NULL) AS value,
    if(known, greatest(0., estimate - error), NULL) AS lower,
    if(known, least(1., estimate + error), NULL) AS upper,
    nullIf(reference[concat(segment_name, '=', segment_value)], 0.) AS baseline,
    toUInt64(calls) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
