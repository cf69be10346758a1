/*
summary = "How many times as fast as the plan's budget allows money was spent, over two windows at once"
unit    = "budgets"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32", short_h = "UInt16", long_h = "UInt16" }

[columns]
project  = "LowCardinality(String)"
use_case = "LowCardinality(String)"
currency = "LowCardinality(String)"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
baseline = "Nullable(Float64)"
n        = "UInt64"
*/
-- The smaller of two windows' burn rates, the last short_h and long_h whole hours: the long one says that it matters, the short one
-- that it still goes on. 1 spends exactly the budget, hour by hour. Only in the plan's currency, which calls that name none are
-- counted under. n counts calls whose price is known; NULL when none is: unknown is not free. Baseline: 1. A sum has no interval;
-- lower and upper are the two windows' rates.
-- Source: Google SRE Workbook (2018), chapter 5, Alerting on SLOs: multiwindow, multi-burn-rate alerts.
WITH
    {step_s:UInt32} AS step,
    {short_h:UInt16} * 3600 AS short_s,
    {long_h:UInt16} * 3600 AS long_s,
    hours AS
    (
        SELECT project, use_case, currency AS said, toUnixTimestamp(hour) AS at, sum(cost) AS amount, sum(calls - unpriced) AS priced
        FROM ai_calls_1h
        WHERE segment_name = '' AND hour >= {since:DateTime('UTC')} - 3600 - {long_h:UInt16} * 3600 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
    ),
    present AS
    (
        SELECT
            project, use_case, plan_currency AS currency, toFloat64(any(budget_per_day)) / 86400 AS allowed,
            groupArray(at) AS ats, groupArray(toFloat64(amount)) AS amounts, groupArray(priced) AS counts,
            arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no
        FROM hours INNER JOIN (SELECT project, use_case, currency AS plan_currency, budget_per_day FROM plans FINAL WHERE budget_per_day > 0) AS p
            USING (project, use_case)
        WHERE said = '' OR said = plan_currency
        GROUP BY project, use_case, currency
    ),
    measured AS
    (
        SELECT *,
            intDiv(slot_no * step, 3600) * 3600 AS whole,
            arraySum((a, c) -> if(a < whole AND a + long_s >= whole, c, 0), ats, counts) AS calls,
            arraySum((a, c) -> if(a < whole AND a + short_s >= whole, c, 0.), ats, amounts) / short_s / allowed AS short_rate,
            arraySum((a, c) -> if(a < whole AND a + long_s >= whole, c, 0.), ats, amounts) / long_s / allowed AS long_rate
        FROM present
    )
SELECT
    project, use_case, currency, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    if(calls > 0, toNullable(least(short_rate, long_rate)), NULL) AS value,
    if(calls > 0, toNullable(least(short_rate, long_rate)), NULL) AS lower,
    if(calls > 0, toNullable(greatest(short_rate, long_rate)), NULL) AS upper,
    toNullable(1.) AS baseline,
    toUInt64(calls) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
