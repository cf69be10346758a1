/*
summary = "Share of right answers among all calls, estimated from the reviewed ones"
unit    = "share"
window  = "28d"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }
outcomes = ["review"]

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
-- Window: the last review of each call that was known by the slot, of calls of its last 28 days.
-- Method: each review stands for as many calls as its weight says, 1 / the chance that it was drawn; the weighted share of right
-- answers (Hájek). NULL under 20 reviews. Baseline: the reference's labels.
-- Interval: Wilson's, at the effective sample size (the squared sum of weights over the sum of their squares).
-- Source: Horvitz and Thompson (1952); Hájek (1971); Kish (1965), Survey Sampling; Wilson (1927).
WITH
    {step_s:UInt32} AS step,
    verdicts AS
    (
        SELECT
            project, use_case, model_version, prompt_version, call_id, toUnixTimestamp(toDateTime(started_at, 'UTC')) AS called_s,
            toUnixTimestamp(toDateTime(observed_at, 'UTC')) AS known_s, if(weight > 0, weight, 1) AS stands, ifNull(correct, score >= 0.5) AS is_right,
            leadInFrame(known_s, 1, toUInt32(4294967295)) OVER (PARTITION BY project, call_id ORDER BY observed_at, outcome_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until_s
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 28 * 86400 AND started_at < {until:DateTime('UTC')} AND observed_at <= {until:DateTime('UTC')}
            AND kind = 'review' AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
    ),
    slots AS
    (
        SELECT *,
            arrayJoin(range(
                greatest(intDiv(greatest(toUInt32(known_s - 1), called_s) + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(least(called_s + 28 * 86400, toUInt32(until_s - 1)), step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM verdicts
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, slot_no, count() AS reviews,
            sumIf(stands, assumeNotNull(is_right)) / sum(stands) AS share, sum(stands) * sum(stands) / sum(stands * stands) AS effective
        FROM slots
        GROUP BY ALL
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, accuracy AS then_accuracy
        FROM calibrations FINAL
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known, reviews >= 20 AS enough
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, slot_no
    )
SELECT
    project, use_case, model_version, prompt_version, slot,
    if(enough, share, NULL) AS value,
    if(enough, tocsin_wilson_v1(share * effective, effective, -1.96), NULL) AS lower,
    if(enough, tocsin_wilson_v1(share * effective, effective, 1.96), NULL) AS upper,
    if(known AND until > 0, then_accuracy, NULL) AS baseline,
    reviews AS n
FROM paired
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
