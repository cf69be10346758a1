/*
summary = "Mean absolute error of predicted numbers, estimated without labels (direct loss estimation)"
unit    = "as predicted"
window  = "7d"
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
-- Window: seven days of calls that asked the model and got a number. Each call is expected to be as wrong as predictions of its size were
-- in the reference window (ten buckets); the baseline is the same estimate over that window. NULL without a reference.
-- Interval: normal, of the calls and of the buckets' own means.
-- Assumes that the error depends on the prediction alone, as it did: it sees a stream that moves to where the model was always worse, not
-- a model that gets worse where it was. It reads calls, since no sum holds their numbers, so its cost grows with their traffic.
-- Source: direct loss estimation, as in NannyML's documentation, with a bucket in place of a second model.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT
            project, use_case, model_version, prompt_version, toStartOfHour(toDateTime(started_at, 'UTC')) AS hour,
            tocsin_bin_v1(assumeNotNull(output_value)) AS bin, count() AS rows
        FROM ai_calls
        WHERE started_at >= {since:DateTime('UTC')} - 604800 AND started_at < {until:DateTime('UTC')}
            AND isFinite(output_value) AND (served_by != 'fallback' OR is_probe)
        GROUP BY ALL
    ),
    slots AS
    (
        SELECT
            project, use_case, model_version, prompt_version, bin, sum(rows) AS its_rows,
            arrayJoin(range(
                greatest(intDiv(toUnixTimestamp(hour) + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM hours
        GROUP BY ALL
    ),
    present AS
    (
        SELECT project, use_case, model_version, prompt_version, slot_no, groupArray(bin) AS found, groupArray(its_rows) AS counts, sum(its_rows) AS calls
        FROM slots
        GROUP BY ALL
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, edges, figures
        FROM reference_profiles FINAL
        WHERE kind = 'error'
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
            known AND notEmpty(edges) AND calls >= 50 AS enough,
            toUInt64(length(edges)) AS k,
            arrayMap(c -> c / calls, tocsin_bucket_counts_v1(edges, found, counts)) AS shares,
            arraySlice(figures, 1, k) AS means, arraySlice(figures, k + 1, k) AS variances, arraySlice(figures, 2 * k + 1, k) AS labels,
            arraySum((s, m) -> s * m, shares, means) AS mean,
            arraySum((s, m, v) -> s * (v + m * m), shares, means, variances) - mean * mean AS spread,
            1.96 * sqrt(greatest(0., spread) / calls + arraySum((s, v, l) -> s * s * v / l, shares, variances, labels)) AS error
        FROM paired
    )
SELECT
    project, use_case, model_version, prompt_version, slot,
    if(enough, mean, NULL) AS value,
    if(enough, greatest(0., mean - error), NULL) AS lower,
    if(enough, mean + error, NULL) AS upper,
    if(enough, figures[-1], NULL) AS baseline,
    calls AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
