/*
summary = "Known cost of an answer that is right, by currency and version"
unit    = "currency"
window  = "7d"
lag     = "label delay"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
currency       = "String"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
n              = "UInt64"
*/
-- Mean cost of a call over accuracy on labels, both of the same seven days of calls, which end the plan's label delay (seven days
-- without a plan) before the slot. Wrong answers are paid for by the right ones. n counts labels; NULL under 50 of them, or without
-- a price. Labels are taken for a fair sample of the calls, as by the evaluator accuracy, which leaves out what was drawn. No baseline.
-- Interval: of the accuracy alone (Wilson): the mean cost of a week is known far better.
WITH
    {step_s:UInt32} AS step,
    (SELECT max(label_delay_s) FROM plans) AS longest_delay,
    planned AS (SELECT project, use_case, currency AS plan_currency, label_delay_s, 1 AS has_plan FROM plans FINAL),
    verdicts AS
    (
        SELECT project, use_case, model_version, prompt_version, toStartOfHour(started_at) AS hour, ifNull(correct, score >= 0.5) AS is_right,
            kind IN ('review', 'judge') AND weight > 1 AS is_drawn
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 604800 - greatest(604800, longest_delay) AND started_at < {until:DateTime('UTC')}
            AND kind != 'support' AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
        ORDER BY project, call_id, indexOf(['feedback', 'judge', 'review', 'ground_truth'], kind) DESC, observed_at DESC, outcome_id DESC
        LIMIT 1 BY project, call_id
    ),
    judged AS
    (
        SELECT project, use_case, model_version, prompt_version, sum(labels) AS known, sum(hits) AS right_calls, slot_no
        FROM
        (
            SELECT project, use_case, model_version, prompt_version, labels, hits,
                arrayJoin(range(
                greatest(intDiv(toUnixTimestamp(hour) + if(has_plan, label_delay_s, 604800) + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + if(has_plan, label_delay_s, 604800) + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
            FROM
            (
                SELECT project, use_case, model_version, prompt_version, hour, count() AS labels, sum(assumeNotNull(is_right)) AS hits
                FROM verdicts WHERE NOT is_drawn GROUP BY ALL
            ) AS v LEFT JOIN planned USING (project, use_case)
        )
        GROUP BY ALL
    ),
    paid AS
    (
        SELECT project, use_case, if(currency = '', plan_currency, currency) AS named, model_version, prompt_version, toFloat64(sum(cost)) AS amount, sum(calls - unpriced) AS priced, slot_no
        FROM
        (
            SELECT project, use_case, currency, plan_currency, model_version, prompt_version, cost, calls, unpriced,
                arrayJoin(range(
                greatest(intDiv(toUnixTimestamp(hour) + if(has_plan, label_delay_s, 604800) + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + if(has_plan, label_delay_s, 604800) + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
            FROM ai_calls_1h LEFT JOIN planned USING (project, use_case)
            WHERE segment_name = '' AND (served_by != 'fallback' OR probes > 0) AND hour >= {since:DateTime('UTC')} - 604800 - greatest(604800, longest_delay) AND hour < {until:DateTime('UTC')}
        )
        GROUP BY ALL
        HAVING priced > 0
    )
SELECT
    project, use_case, named AS currency, model_version, prompt_version, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    if(known >= 50 AND right_calls > 0, toNullable(amount / priced / (right_calls / known)), NULL) AS value,
    if(known >= 50 AND right_calls > 0, toNullable(amount / priced / tocsin_wilson_v1(right_calls, known, 1.96)), NULL) AS lower,
    if(known >= 50 AND right_calls > 0, toNullable(amount / priced / tocsin_wilson_v1(right_calls, known, -1.96)), NULL) AS upper,
    CAST(NULL, 'Nullable(Float64)') AS baseline,
    toUInt64(known) AS n
FROM paid INNER JOIN judged USING (project, use_case, model_version, prompt_version, slot_no)
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
