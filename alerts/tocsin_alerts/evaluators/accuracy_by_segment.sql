/*
summary = "Share of right answers in each declared segment among labelled calls"
unit    = "share"
window  = "7d"
lag     = "label delay"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32", min_n = "UInt64" }

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
segment_name   = "String"
segment_value  = "String"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
n              = "UInt64"
*/
-- Window: seven days of calls, ending the plan's label delay (seven days without a plan) before the slot. A call counts in
-- the hour it began in, by the last word on it; fallback answers do not count, probes do. Baseline: the reference's labels.
-- A judge's verdict counts only while people or the truth have fewer than 20 calls of the window: from then on its errors are
-- measured, and judge_accuracy has it corrected. Until then it is the word of lowest rank but feedback, uncorrected.
-- What was drawn to be reviewed or judged does not count (accuracy says why). Interval: Wilson.
-- Segments of fewer than min_n labelled calls are left out.
WITH
    {step_s:UInt32} AS step,
    (SELECT max(label_delay_s) FROM plans) AS longest_delay,
    verdicts AS
    (
        SELECT
            project, use_case, model_version, prompt_version, toStartOfHour(started_at) AS hour, segments,
            assumeNotNull(ifNull(correct, score >= 0.5)) AS is_right, kind = 'judge' AS is_judged,
            kind IN ('review', 'ground_truth') AS is_sure, kind IN ('review', 'judge') AND weight > 1 AS is_drawn
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 604800 - greatest(604800, longest_delay) AND started_at < {until:DateTime('UTC')}
            AND kind != 'support' AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
        ORDER BY project, call_id, indexOf(['feedback', 'judge', 'review', 'ground_truth'], kind) DESC, observed_at DESC, outcome_id DESC
        LIMIT 1 BY project, call_id
    ),
    hours AS
    (
        SELECT project, use_case, model_version, prompt_version, segment_name, segment_value, hour, countIf(NOT is_drawn) AS labels, countIf(is_right AND NOT is_drawn) AS hits,
            countIf(is_judged AND NOT is_drawn) AS opinions, countIf(is_judged AND is_right AND NOT is_drawn) AS praise, countIf(is_sure) AS facts
        FROM verdicts
        ARRAY JOIN mapKeys(segments) AS segment_name, mapValues(segments) AS segment_value
        GROUP BY ALL
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, segment_name, segment_value, sum(facts) >= 20 AS is_measured,
            sum(labels) - if(is_measured, sum(opinions), 0) AS calls, sum(hits) - if(is_measured, sum(praise), 0) AS right_calls,
            arrayJoin(range(
                greatest(intDiv(toUnixTimestamp(hour) + delay_s + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + delay_s + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM
        (
            SELECT *, if(has_plan, label_delay_s, 604800) AS delay_s
            FROM hours LEFT JOIN (SELECT project, use_case, label_delay_s, 1 AS has_plan FROM plans FINAL) AS p USING (project, use_case)
        )
        GROUP BY ALL
        HAVING calls >= {min_n:UInt64}
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, segment_accuracies AS then_accuracy
        FROM calibrations FINAL
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, segment_name, segment_value, slot_no
    )
SELECT
    project, use_case, model_version, prompt_version, segment_name, segment_value, slot,
    toNullable(right_calls / calls) AS value,
    toNullable(tocsin_wilson_v1(right_calls, calls, -1.96)) AS lower,
    toNullable(tocsin_wilson_v1(right_calls, calls, 1.96)) AS upper,
    if(known AND mapContains(then_accuracy, concat(segment_name, '=', segment_value)), then_accuracy[concat(segment_name, '=', segment_value)], NULL) AS baseline,
    toUInt64(calls) AS n
FROM paired
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
