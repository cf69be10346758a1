/*
summary = "Evidence that labelled calls are wrong more often than in the reference (CUSUM by day)"
unit    = "nats of evidence"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32", allowance = "Float64", most_evidence = "Float64", strict = "Float64" }
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
effect         = "Nullable(Float64)"
n              = "UInt64"
*/
-- Window: 60 whole days of calls, ending the plan's label delay (seven days without a plan) before the slot, none of them
-- before the reference's end. The sum is made anew from those days at every slot, so it does not depend on who asked before.
-- Method: each day's share of wrong answers less what the reference has on that weekday, as the log-likelihood ratio of a
-- rise by d = max(one standard deviation of a day, 2 × allowance) against none, summed, never below 0 and never above most_evidence + strict: what
-- a long decline gathered must not outlive it. With d of one
-- standard deviation this is Page's CUSUM of k = 0.5 in its own units. The deviation holds the wander beyond the binomial, and the
-- reference's own standard error is taken off every day. n: labels of the last seven of those days.
-- Effect: the mean rise over the last four days with labels. No interval: the sum is a test statistic. Baseline 0: no evidence.
-- Assumes that labels are complete after the delay; ground truth and reviews only, none that were drawn (accuracy says why). NULL without a reference by day.
-- Source: Page (1954), Continuous Inspection Schemes; Lorden (1971), Procedures for Reacting to a Change in Distribution.
WITH
    {step_s:UInt32} AS step,
    (SELECT max(label_delay_s) FROM plans) AS longest_delay,
    verdicts AS
    (
        SELECT
            project, use_case, model_version, prompt_version, toUInt32(intDiv(toUnixTimestamp(started_at), 86400)) AS day,
            ifNull(correct, score >= 0.5) AS is_right, kind = 'review' AND weight > 1 AS is_drawn
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 61 * 86400 - greatest(604800, longest_delay) AND started_at < {until:DateTime('UTC')}
            AND kind IN ('review', 'ground_truth') AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
        ORDER BY project, call_id, kind = 'ground_truth' DESC, observed_at DESC, outcome_id DESC
        LIMIT 1 BY project, call_id
    ),
    days AS
    (
        SELECT project, use_case, model_version, prompt_version, day, count() AS labels, countIf(NOT assumeNotNull(is_right)) AS errors
        FROM verdicts
        WHERE NOT is_drawn
        GROUP BY ALL
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, delay_s, groupArray((day, labels, errors)) AS its_days,
            arrayJoin(range(
                greatest(intDiv(min(day) * 86400 + 86399 + delay_s + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(max(day) * 86400 + 60 * 86400 + 86399 + delay_s, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM
        (
            SELECT *, if(has_plan, label_delay_s, 604800) AS delay_s
            FROM days LEFT JOIN (SELECT project, use_case, label_delay_s, 1 AS has_plan FROM plans FINAL) AS p USING (project, use_case)
            ORDER BY day
        )
        GROUP BY project, use_case, model_version, prompt_version, delay_s
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, daily_errors, daily_wander, daily_doubt
        FROM calibrations FINAL
        WHERE notEmpty(daily_errors)
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
            toInt64(intDiv(slot_no * step - delay_s, 86400)) AS end_day,
            known AND notEmpty(daily_errors) AS has_reference,
            arrayFilter(each -> each.1 < end_day AND each.1 >= end_day - 60 AND each.1 * 86400 >= toUnixTimestamp(until), its_days) AS kept,
            arrayMap(each -> if(has_reference, daily_errors[(each.1 + 3) % 7 + 1], 0.5), kept) AS expected,
            arrayMap((each, q) -> each.3 / each.2 - q, kept, expected) AS rises,
            arrayMap((each, q) -> q * (1 - q) / each.2 + daily_wander, kept, expected) AS variances,
            arrayMap(v -> greatest(0.5 * sqrt(v), {allowance:Float64}), variances) AS halves,
            arrayFold((sum, step_up) -> least({most_evidence:Float64} + {strict:Float64}, greatest(0., sum + step_up)),
                arrayMap((x, v, half) -> 2 * half / v * (x - half - daily_doubt), rises, variances, halves), 0.) AS evidence,
            arraySlice(kept, -4) AS latest,
            arraySum((each, x) -> each.2 * x, latest, arraySlice(rises, -4)) / arraySum(each -> each.2, latest) AS rise,
            has_reference AND notEmpty(kept) AS enough
        FROM paired
    )
SELECT
    project, use_case, model_version, prompt_version, slot,
    if(enough, evidence, NULL) AS value,
    CAST(NULL, 'Nullable(Float64)') AS lower,
    CAST(NULL, 'Nullable(Float64)') AS upper,
    if(enough, 0., NULL) AS baseline,
    if(enough, rise, NULL) AS effect,
    toUInt64(arraySum(each -> if(each.1 < end_day AND each.1 >= end_day - 7, each.2, 0), its_days)) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
