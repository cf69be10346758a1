/*
summary = "Cost of the month by its end, from its days so far and the weekdays of the last four weeks"
unit    = "currency"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "LowCardinality(String)"
use_case = "LowCardinality(String)"
currency = "String"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
baseline = "Nullable(Float64)"
n        = "UInt64"
*/
-- The month (UTC) that the slot ends in: what its whole days cost, plus for each day that is left the mean of that weekday over the
-- last 28 whole days, or as many as there are since the first call. NULL under 14 of them. n counts the calls of those days whose
-- price is known. Baseline: the plan's budget times the days of the month, in the plan's currency.
-- Interval: the days' scatter around their weekday's mean, of the days to come and of the means themselves, as a normal.
WITH
    {step_s:UInt32} AS step,
    days AS
    (
        SELECT
            project, use_case, if(currency = '', plan_currency, currency) AS named, intDiv(toUnixTimestamp(hour), 86400) AS day,
            toFloat64(sum(cost)) AS amount, sum(calls - unpriced) AS priced, any(toFloat64(if(named = plan_currency, p.budget_per_day, NULL))) AS budget
        FROM ai_calls_1h LEFT JOIN (SELECT project, use_case, currency AS plan_currency, budget_per_day FROM plans FINAL) AS p USING (project, use_case)
        WHERE segment_name = '' AND hour >= {since:DateTime('UTC')} - 5270400 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
        HAVING priced > 0
    ),
    present AS
    (
        SELECT
            project, use_case, named AS currency, any(budget) AS per_day, min(day) AS first_day,
            groupArray(day) AS days_at, groupArray(amount) AS amounts, groupArray(priced) AS counts,
            arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no
        FROM days
        GROUP BY project, use_case, currency
    ),
    measured AS
    (
        SELECT *,
            slot_no * step AS until,
            intDiv(until, 86400) AS today,
            toDate('1970-01-01') + intDiv(until - 1, 86400) AS inside,
            toUnixTimestamp(toDateTime(toStartOfMonth(inside), 'UTC')) / 86400 AS month_begins,
            toUnixTimestamp(toDateTime(toStartOfMonth(inside) + INTERVAL 1 MONTH, 'UTC')) / 86400 AS month_ends,
            greatest(first_day, today - 28) AS since_day,
            today - since_day AS known_days,
            arrayMap(d -> if(indexOf(days_at, d) > 0, amounts[indexOf(days_at, d)], 0.), range(toUInt32(since_day), toUInt32(today))) AS costs,
            arrayMap(d -> d % 7, range(toUInt32(since_day), toUInt32(today))) AS weekdays,
            arrayMap(w -> arrayCount(x -> x = w, weekdays), range(7)) AS times,
            arrayMap(w -> arraySum((x, c) -> if(x = w, c, 0.), weekdays, costs) / times[w + 1], range(7)) AS means,
            arraySum((x, c) -> pow(c - means[x + 1], 2), weekdays, costs) / (known_days - 7) AS scatter,
            arrayMap(d -> d % 7, range(toUInt32(today), toUInt32(month_ends))) AS ahead,
            arrayMap(w -> arrayCount(x -> x = w, ahead), range(7)) AS to_come,
            arraySum((d, c) -> if(d >= month_begins AND d < today, c, 0.), days_at, amounts) AS spent,
            spent + arraySum(x -> means[x + 1], ahead) AS forecast,
            1.96 * sqrt(scatter * (length(ahead) + arraySum((k, m) -> if(k > 0, k * k / m, 0.), to_come, times))) AS error,
            arraySum((d, c) -> if(d >= since_day AND d < today, c, 0), days_at, counts) AS calls
        FROM present
    )
SELECT
    project, use_case, currency, toDateTime64(until, 3, 'UTC') AS slot,
    if(known_days >= 14, toNullable(forecast), NULL) AS value,
    if(known_days >= 14, toNullable(greatest(spent, forecast - error)), NULL) AS lower,
    if(known_days >= 14, toNullable(forecast + error), NULL) AS upper,
    if(per_day > 0, per_day * (month_ends - month_begins), NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
WHERE today > first_day
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
