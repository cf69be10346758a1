/*
summary = "How far confidence is from how often it is right, on labelled calls (ECE)"
unit    = "share"
window  = "7d"
lag     = "label delay"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }
outcomes = ["ground_truth", "review"]

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
-- Window: seven days of calls, ending the plan's label delay (seven days without a plan) before the slot; by the last word of people
-- or the truth. Ten bins of equal width; in each, the difference of mean confidence and share of right answers, weighted by its calls.
-- Under 200 labels the value is NULL: chance alone adds about 0.8 standard errors in every bin, always upwards. Baseline: the same
-- over the reference window. Interval: normal, with the binomial variance of each bin's share.
-- Source: Naeini, Cooper and Hauskrecht (2015); Guo et al. (2017), On Calibration of Modern Neural Networks.
WITH
    {step_s:UInt32} AS step,
    (SELECT max(label_delay_s) FROM plans) AS longest_delay,
    verdicts AS
    (
        SELECT
            project, use_case, model_version, prompt_version, toStartOfHour(started_at) AS hour,
            toUInt8(least(9, floor(assumeNotNull(confidence) * 10))) AS cell, assumeNotNull(confidence) AS sure,
            toFloat64(assumeNotNull(ifNull(correct, score >= 0.5))) AS is_right
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 604800 - greatest(604800, longest_delay) AND started_at < {until:DateTime('UTC')}
            AND kind IN ('review', 'ground_truth') AND (served_by != 'fallback' OR is_probe)
            AND confidence >= 0 AND confidence <= 1 AND (correct IS NOT NULL OR score IS NOT NULL)
        ORDER BY project, call_id, kind = 'ground_truth' DESC, observed_at DESC, outcome_id DESC
        LIMIT 1 BY project, call_id
    ),
    hours AS
    (
        SELECT project, use_case, model_version, prompt_version, hour, cell, count() AS labels, sum(is_right) AS hits, sum(sure) AS promised
        FROM verdicts
        GROUP BY ALL
    ),
    cells AS
    (
        SELECT
            project, use_case, model_version, prompt_version, cell, sum(labels) AS of, sum(hits) AS right_calls, sum(promised) AS promises,
            arrayJoin(range(
                greatest(intDiv(toUnixTimestamp(hour) + delay_s + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + delay_s + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM
        (
            SELECT *, if(has_plan, label_delay_s, 604800) AS delay_s
            FROM hours LEFT JOIN (SELECT project, use_case, label_delay_s, 1 AS has_plan FROM plans FINAL) AS p USING (project, use_case)
        )
        GROUP BY ALL
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, slot_no, sum(of) AS calls, sum(abs(right_calls - promises)) / calls AS distance,
            sqrt(sum(right_calls * (of - right_calls) / of)) / calls AS deviation
        FROM cells
        GROUP BY ALL
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, figures[indexOf(names, 'ece')] AS then_distance
        FROM reference_profiles FINAL
        WHERE kind = 'score' AND has(names, 'ece')
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known, calls >= 200 AS enough
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, slot_no
    )
SELECT
    project, use_case, model_version, prompt_version, slot,
    if(enough, distance, NULL) AS value,
    if(enough, greatest(0., distance - 1.96 * deviation), NULL) AS lower,
    if(enough, least(1., distance + 1.96 * deviation), NULL) AS upper,
    if(known AND until > 0, then_distance, NULL) AS baseline,
    calls AS n
FROM paired
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
