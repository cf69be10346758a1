/*
summary = "Mean score that reviewers give, estimated for all calls"
unit    = "score"
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
-- Window: the last review of each call that was known by the slot, of calls of its last 28 days, where it gave a score (0 to 1).
-- Method: each review stands for as many calls as its weight says; the weighted mean (Hájek). NULL under 20 reviews.
-- Interval: normal, at the effective sample size, with at least the spread that one score at the other end would add.
-- Baseline: the weighted mean over the reference window. Source: Hájek (1971); Kish (1965), Survey Sampling.
WITH
    {step_s:UInt32} AS step,
    verdicts AS
    (
        SELECT
            project, use_case, model_version, prompt_version, call_id, toUnixTimestamp(toDateTime(started_at, 'UTC')) AS called_s,
            toUnixTimestamp(toDateTime(observed_at, 'UTC')) AS known_s, if(weight > 0, weight, 1) AS stands, assumeNotNull(score) AS mark,
            leadInFrame(known_s, 1, toUInt32(4294967295)) OVER (PARTITION BY project, call_id ORDER BY observed_at, outcome_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until_s
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 28 * 86400 AND started_at < {until:DateTime('UTC')} AND observed_at <= {until:DateTime('UTC')}
            AND kind = 'review' AND (served_by != 'fallback' OR is_probe) AND score >= 0 AND score <= 1
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
            project, use_case, model_version, prompt_version, slot_no, count() AS reviews, sum(stands * mark) / sum(stands) AS mean,
            sum(stands) * sum(stands) / sum(stands * stands) AS effective, sum(stands * mark * mark) / sum(stands) - mean * mean AS spread,
            sqrt((greatest(0., spread) * effective + pow(greatest(mean, 1 - mean), 2)) / pow(effective, 2)) AS deviation
        FROM slots
        GROUP BY ALL
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, figures[indexOf(names, 'review_score')] AS then_mean
        FROM reference_profiles FINAL
        WHERE kind = 'score' AND has(names, 'review_score')
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
    if(enough, mean, NULL) AS value,
    if(enough, greatest(0., mean - 1.96 * deviation), NULL) AS lower,
    if(enough, least(1., mean + 1.96 * deviation), NULL) AS upper,
    if(known AND until > 0, then_mean, NULL) AS baseline,
    reviews AS n
FROM paired
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
