/*
summary = "Mean known cost of a day's calls, by currency and version"
unit    = "currency"
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
-- Window: one day; of calls whose price is known, which n counts. NULL when none is. Calls that name no currency are counted under
-- the plan's. Baseline: the same version's mean over the 28 days before the day; NULL under 200 priced calls of them.
-- Interval: a ratio estimator with hours as clusters (calls of one hour are alike); none under six hours.
-- Source: Cochran (1977), Sampling Techniques, section 6.3.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT
            project, use_case, if(currency = '', plan_currency, currency) AS named, model_version, prompt_version, toUnixTimestamp(hour) AS at,
            toFloat64(sum(cost)) AS amount, toFloat64(sum(calls - unpriced)) AS priced
        FROM ai_calls_1h LEFT JOIN (SELECT project, use_case, currency AS plan_currency FROM plans FINAL) AS p USING (project, use_case)
        WHERE segment_name = '' AND hour >= {since:DateTime('UTC')} - 2505600 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
        HAVING priced > 0
    ),
    present AS
    (
        SELECT
            project, use_case, named AS currency, model_version, prompt_version, groupArray(at) AS ats, groupArray(amount) AS amounts, groupArray(priced) AS counts,
            arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no
        FROM hours
        GROUP BY project, use_case, currency, model_version, prompt_version
    ),
    measured AS
    (
        SELECT *,
            slot_no * step AS until,
            arrayMap(a -> a + 3600 <= until AND a + 86400 >= until, ats) AS now,
            arrayMap(a -> a + 86400 < until AND a + 2505600 >= until, ats) AS before,
            arraySum((t, c) -> t * c, now, counts) AS calls,
            arraySum((t, c) -> t * c, now, amounts) / calls AS mean,
            arraySum(now) AS clusters,
            1.96 * sqrt(clusters / (clusters - 1) * arraySum((t, m, c) -> t * pow(m - mean * c, 2), now, amounts, counts)) / calls AS error,
            arraySum((t, c) -> t * c, before, counts) AS then_calls,
            arraySum((t, c) -> t * c, before, amounts) / then_calls AS then_mean
        FROM present
    )
SELECT
    project, use_case, currency, model_version, prompt_version, toDateTime64(until, 3, 'UTC') AS slot,
    toNullable(mean) AS value,
    if(clusters >= 6, toNullable(greatest(0., mean - error)), NULL) AS lower,
    if(clusters >= 6, toNullable(mean + error), NULL) AS upper,
    if(then_calls >= 200, toNullable(then_mean), NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
WHERE calls > 0
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
