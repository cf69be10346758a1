/*
summary = "How far a week's values of each input field have moved from the reference (PSI, debiased)"
unit    = "nats"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "LowCardinality(String)"
use_case = "LowCardinality(String)"
field    = "LowCardinality(String)"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
baseline = "Nullable(Float64)"
n        = "UInt64"
*/
-- Window: seven days, whichever version answered. Numbers by the reference's deciles (few distinct ones, one by one),
-- categories by value, rare and unseen ones together. NULL under 200 calls on either side, or before a reference is frozen.
-- Interval: PSI in units of its noise is a noncentral chi-square; its first two moments give the standard error.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT
            project, use_case, kind, field, bin, category, sum(n) AS calls,
            range(
                greatest(intDiv(toUnixTimestamp(hour) + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1) AS slot_nos
        FROM input_histogram_1h
        WHERE kind IN ('number', 'category') AND segment_name = '' AND hour >= {since:DateTime('UTC')} - 604800 AND hour < {until:DateTime('UTC')}
        GROUP BY project, use_case, kind, field, bin, category, slot_nos
    ),
    present AS
    (
        SELECT
            project, use_case, field, arrayJoin(slot_nos) AS slot_no, groupArray(calls) AS counts, sum(calls) AS now_n,
            groupArray(if(kind = 'number', bin, 32767)) AS bins, groupArray(if(kind = 'number', '\0', category)) AS values
        FROM hours
        GROUP BY project, use_case, field, slot_no
    ),
    past AS
    (
        SELECT project, use_case, field, groupArray((until, edges, names, figures, n)) AS versions
        FROM reference_profiles FINAL
        WHERE kind = 'input'
        GROUP BY project, use_case, field
    ),
    paired AS
    (
        SELECT
            project, use_case, field, toDateTime64(slot_no * step, 3, 'UTC') AS slot, bins, values, counts, now_n,
            arraySort(v -> v.1, arrayFilter(v -> v.1 <= slot, versions))[-1] AS ref
        FROM present LEFT JOIN past USING (project, use_case, field)
    ),
    counted AS
    (
        SELECT
            project, use_case, field, slot, now_n, ref.5 AS then_n, ref.4 AS expected,
            arrayConcat(tocsin_bucket_counts_v1(ref.2, bins, counts),
                arrayMap(k -> arraySum((v, c) -> if(v = k, c, 0), values, counts), ref.3)) AS matched,
            arrayResize(arrayPushBack(matched, now_n - arraySum(matched)), length(expected)) AS seen
        FROM paired
    ),
    measured AS
    (
        SELECT *,
            now_n >= 200 AND then_n >= 200 AS enough,
            1 / now_n + 1 / then_n AS noise,
            tocsin_psi_v1(seen, expected, now_n, then_n) AS psi,
            1.96 * sqrt(2 * length(expected) * noise * noise + 4 * greatest(0., psi) * noise) AS error
        FROM counted
    )
SELECT
    project, use_case, field, slot,
    if(enough, greatest(0., psi), NULL) AS value,
    if(enough, greatest(0., psi - error), NULL) AS lower,
    if(enough, greatest(0., psi + error), NULL) AS upper,
    if(enough, 0., NULL) AS baseline,
    toUInt64(now_n) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
