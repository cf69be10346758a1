/*
summary = "Known cost of the day's calls, by currency"
unit    = "currency"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

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
-- Window: one day; n counts the calls whose price is known. NULL when none is: unknown is not free. Calls that name no
-- currency are counted under the plan's. Baseline: the plan's budget, else the reference's daily mean. A sum has no interval.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT
            project, use_case, currency AS said, sum(cost) AS amount, sum(calls - unpriced) AS priced,
            arrayJoin(range(
                greatest(intDiv(toUnixTimestamp(hour) + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM ai_calls_1h
        WHERE segment_name = '' AND hour >= {since:DateTime('UTC')} - 86400 AND hour < {until:DateTime('UTC')}
        GROUP BY project, use_case, currency, slot_no
    ),
    past AS
    (
        SELECT project, use_case, max(plan.1) AS plan_currency, max(plan.2) AS budget, groupArrayIf((until, names, figures), until > 0) AS versions
        FROM
        (
            SELECT project, use_case, (currency, toFloat64(budget_per_day)) AS plan, toDateTime(0, 'UTC') AS until, [''] AS names, [0.] AS figures FROM plans FINAL
            UNION ALL
            SELECT project, use_case, ('', NULL), until, names, figures FROM reference_profiles FINAL WHERE kind = 'cost'
        )
        GROUP BY project, use_case
    ),
    days AS
    (
        SELECT
            project, use_case, if(said = '', plan_currency, said) AS currency, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
            sum(amount) AS known_cost, sum(priced) AS calls, any(if(currency = plan_currency, budget, NULL)) AS allowed,
            arraySort(v -> v.1, arrayFilter(v -> v.1 <= slot, any(versions)))[-1] AS ref
        FROM hours LEFT JOIN past USING (project, use_case)
        GROUP BY project, use_case, currency, slot_no
    )
SELECT
    project, use_case, currency, slot,
    if(calls > 0, toFloat64(known_cost), NULL) AS value,
    value + NULL AS lower,
    value + NULL AS upper,
    ifNull(allowed, if(has(ref.2, currency), ref.3[indexOf(ref.2, currency)], NULL)) AS baseline,
    toUInt64(calls) AS n
FROM days
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
