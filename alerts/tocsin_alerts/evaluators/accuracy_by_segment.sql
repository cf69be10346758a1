/*
summary = "Share of right answers in each declared segment among labelled calls"
unit    = "share"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
segment_name   = "LowCardinality(String)"
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
-- Interval: Wilson.
WITH
    {step_s:UInt32} AS step,
    (SELECT max(label_delay_s) FROM plans) AS longest_delay,
    verdicts AS
    (
        SELECT project, use_case, model_version, prompt_version, toStartOfHour(started_at) AS hour, segments, ifNull(correct, score >= 0.5) AS is_right
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 604800 - greatest(604800, longest_delay) AND started_at < {until:DateTime('UTC')}
            AND kind != 'support' AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
        ORDER BY indexOf(['feedback', 'judge', 'review', 'ground_truth'], kind) DESC, observed_at DESC, outcome_id
        LIMIT 1 BY project, call_id
    ),
    hours AS
    (
        SELECT project, use_case, model_version, prompt_version, segment_name, segment_value, toUnixTimestamp(hour) AS at, count() AS labels, sum(assumeNotNull(is_right)) AS hits
        FROM verdicts
        ARRAY JOIN mapKeys(segments) AS segment_name, mapValues(segments) AS segment_value
        GROUP BY project, use_case, model_version, prompt_version, segment_name, segment_value, hour
    ),
    past AS
    (
        SELECT
            project, use_case, groupArrayIf((until, model_version, prompt_version, reference), until > 0) AS versions,
            toUInt32(sum(delay) + if(sum(planned), 0, 604800)) AS delay_s
        FROM
        (
            SELECT project, use_case, label_delay_s AS delay, 1 AS planned, toDateTime(0, 'UTC') AS until, '' AS model_version, '' AS prompt_version, map('', 0.) AS reference FROM plans FINAL
            UNION ALL
            SELECT project, use_case, 0, 0, until, model_version, prompt_version, segment_accuracies FROM calibrations FINAL
        )
        GROUP BY project, use_case
    ),
    spread AS
    (
        SELECT
            project, use_case, model_version, prompt_version, segment_name, segment_value, labels, hits, versions, at + if(notEmpty(versions) OR delay_s, delay_s, 604800) AS labelled,
            arrayJoin(range(
                greatest(intDiv(labelled + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(labelled + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM hours LEFT JOIN past USING (project, use_case)
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, segment_name, segment_value, toDateTime64(slot_no * step, 3, 'UTC') AS slot, sum(labels) AS calls, sum(hits) AS k,
            arraySort(v -> (v.2 = model_version AND v.3 = prompt_version, v.1), arrayFilter(v -> v.1 <= slot, any(versions)))[-1] AS ref
        FROM spread
        GROUP BY project, use_case, model_version, prompt_version, segment_name, segment_value, slot_no
    )
SELECT
    project, use_case, model_version, prompt_version, segment_name, segment_value, slot,
    toNullable(k / calls) AS value,
    toNullable(tocsin_wilson_v1(k, calls, -1.96)) AS lower,
    toNullable(tocsin_wilson_v1(k, calls, 1.96)) AS upper,
    nullIf(ref.4[concat(segment_name, '=', segment_value)], 0.) AS baseline,
    toUInt64(calls) AS n
FROM present
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
