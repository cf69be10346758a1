/*
summary = "Share of right answers by a judge's verdicts, corrected for the judge's own errors (PPI++)"
unit    = "share"
window  = "28d"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }
outcomes = ["judge"]

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
source         = "String"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
n              = "UInt64"
*/
-- Window: calls of the last 28 days, by the first verdict of each judge and the first of people or the truth, as far as both were known
-- by the slot. A judge is its source: another model or rubric errs in other ways.
-- Method: the judge's share of right answers on calls that nobody else labelled, times lambda, plus what people found on calls that
-- both labelled, less lambda times the judge's share there. Lambda is the one with the least variance, 0 for a judge that says nothing of the
-- truth: then people alone are the estimate. Each verdict stands for as many calls as its weight says.
-- Interval: normal, at effective sample sizes, as if one more disagreement had been seen than was. n: calls that the judge labelled.
-- NULL under 20 calls that both labelled, or 50 of the judge alone. Baseline: the reference's labels. Assumes that the calls which
-- people labelled are a sample of known weights.
-- Source: Angelopoulos et al. (2023), Prediction-Powered Inference; Angelopoulos, Duchi and Zrnic (2023), PPI++.
WITH
    {step_s:UInt32} AS step,
    said AS
    (
        SELECT
            project, use_case, model_version, prompt_version, call_id, toUnixTimestamp(toDateTime(started_at, 'UTC')) AS called_s,
            toUnixTimestamp(toDateTime(observed_at, 'UTC')) AS known_s, if(weight > 0, weight, 1) AS stands,
            toFloat64(assumeNotNull(ifNull(correct, score >= 0.5))) AS is_right, if(kind = 'judge', CAST(source, 'String'), '') AS judged_by
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 28 * 86400 AND started_at < {until:DateTime('UTC')} AND observed_at <= {until:DateTime('UTC')}
            AND kind IN ('judge', 'review', 'ground_truth') AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
            AND (project, call_id) IN
            (
                SELECT project, call_id FROM outcomes
                WHERE started_at >= {since:DateTime('UTC')} - 28 * 86400 AND started_at < {until:DateTime('UTC')} AND kind = 'judge'
            )
        ORDER BY observed_at, outcome_id
        LIMIT 1 BY project, call_id, kind = 'judge', source
    ),
    people AS
    (
        SELECT project, call_id, known_s AS people_s, stands AS people_stand, is_right AS truth
        FROM said
        WHERE judged_by = ''
        ORDER BY known_s
        LIMIT 1 BY project, call_id
    ),
    slots AS
    (
        SELECT *, people_s > 0 AND people_s <= slot_no * step AS is_known,
            arrayJoin(range(
                greatest(intDiv(greatest(toUInt32(known_s - 1), called_s) + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(called_s + 28 * 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM (SELECT * FROM said WHERE judged_by != '') AS verdicts LEFT JOIN people USING (project, call_id)
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, judged_by, slot_no, count() AS judged, countIf(is_known) AS in_both,
            sumIf(stands, NOT is_known) AS alone_weight, pow(alone_weight, 2) / sumIf(stands * stands, NOT is_known) AS alone_n,
            sumIf(stands * is_right, NOT is_known) / alone_weight AS alone_share,
            sumIf(people_stand, is_known) AS both_weight, pow(both_weight, 2) / sumIf(people_stand * people_stand, is_known) AS both_n,
            sumIf(people_stand * truth, is_known) / both_weight AS truth_share, sumIf(people_stand * is_right, is_known) / both_weight AS judge_share,
            sumIf(people_stand * is_right * truth, is_known) / both_weight AS agreed_share
        FROM slots
        GROUP BY project, use_case, model_version, prompt_version, judged_by, slot_no
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, accuracy AS then_accuracy
        FROM calibrations FINAL
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known, in_both >= 20 AND judged - in_both >= 50 AS enough
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, judged_by, slot_no
    ),
    measured AS
    (
        SELECT *,
            agreed_share - truth_share * judge_share AS covariance,
            judge_share * (1 - judge_share) AS judge_variance,
            if(judge_variance > 0, greatest(0., least(1., covariance / judge_variance / (1 + both_n / alone_n))), 0.) AS lambda,
            lambda * alone_share + truth_share - lambda * judge_share AS share,
            greatest(0., truth_share * (1 - truth_share) + lambda * lambda * judge_variance - 2 * lambda * covariance) AS rest,
            1.96 * sqrt(lambda * lambda * alone_share * (1 - alone_share) / alone_n + (rest * both_n + 1) / pow(both_n, 2)) AS error
        FROM paired
    )
SELECT
    project, use_case, model_version, prompt_version, judged_by AS source, slot,
    if(enough, greatest(0., least(1., share)), NULL) AS value,
    if(enough, greatest(0., share - error), NULL) AS lower,
    if(enough, least(1., share + error), NULL) AS upper,
    if(known AND until > 0, then_accuracy, NULL) AS baseline,
    judged AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
