/*
summary = "Share of right answers in each declared segment, with intervals that hold for all segments at once"
unit    = "share"
window  = "7d"
lag     = "label delay"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32", min_n = "UInt64" }
outcomes = ["ground_truth", "review"]

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
-- Window: seven days of calls, ending the plan's label delay (seven days without a plan) before the slot; by the last word of people
-- or the truth; fallback answers and what was drawn for review do not count, probes do. Baseline: the reference's labels of that segment.
-- Interval: Wilson, at 95 % for all segments of a version together: with k of them each is at 1 - 0.05 / k (Bonferroni), so that looking
-- at more segments finds no more by chance. Segments of fewer than min_n labels are left out, and not counted.
-- Source: Wilson (1927); Dunn (1961), Multiple Comparisons among Means; Abramowitz and Stegun (1964), 26.2.23, for the quantile.
WITH
    {step_s:UInt32} AS step,
    (SELECT max(label_delay_s) FROM plans) AS longest_delay,
    verdicts AS
    (
        SELECT
            project, use_case, model_version, prompt_version, toStartOfHour(started_at) AS hour, segments,
            assumeNotNull(ifNull(correct, score >= 0.5)) AS is_right, kind = 'review' AND weight > 1 AS is_drawn
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 604800 - greatest(604800, longest_delay) AND started_at < {until:DateTime('UTC')}
            AND kind IN ('review', 'ground_truth') AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
        ORDER BY project, call_id, kind = 'ground_truth' DESC, observed_at DESC, outcome_id DESC
        LIMIT 1 BY project, call_id
    ),
    hours AS
    (
        SELECT project, use_case, model_version, prompt_version, segment_name, segment_value, hour, count() AS labels, sum(is_right) AS hits
        FROM verdicts
        ARRAY JOIN mapKeys(segments) AS segment_name, mapValues(segments) AS segment_value
        WHERE NOT is_drawn
        GROUP BY ALL
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, segment_name, segment_value, sum(labels) AS calls, sum(hits) AS right_calls,
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
    ),
    compared AS
    (
        SELECT *,
            sqrt(-2 * log(0.025 / count() OVER (PARTITION BY project, use_case, model_version, prompt_version, slot_no))) AS t,
            t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t) AS z
        FROM paired
    )
SELECT
    project, use_case, model_version, prompt_version, segment_name, segment_value, slot,
    toNullable(right_calls / calls) AS value,
    toNullable(tocsin_wilson_v1(right_calls, calls, -z)) AS lower,
    toNullable(tocsin_wilson_v1(right_calls, calls, z)) AS upper,
    if(known AND mapContains(then_accuracy, concat(segment_name, '=', segment_value)), then_accuracy[concat(segment_name, '=', segment_value)], NULL) AS baseline,
    toUInt64(calls) AS n
FROM compared
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
