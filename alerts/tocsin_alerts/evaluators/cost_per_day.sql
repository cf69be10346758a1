/*
summary = "Known cost of the day's calls, by currency"
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
        GROUP BY ALL
    ),
    days AS
    (
        SELECT
            project, use_case, if(said = '', plan_currency, said) AS currency, slot_no, sum(amount) AS known_cost,
            sum(priced) AS calls, any(if(currency = plan_currency, toFloat64(budget_per_day), NULL)) AS budget
        FROM hours LEFT JOIN (SELECT project, use_case, currency AS plan_currency, budget_per_day FROM plans FINAL) AS p USING (project, use_case)
        GROUP BY ALL
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, names, figures
        FROM reference_profiles FINAL
        WHERE kind = 'cost'
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known
        FROM days LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, until DESC, its_model DESC, its_prompt DESC
        LIMIT 1 BY project, use_case, currency, slot_no
    )
SELECT
    project, use_case, currency, slot,
    if(calls > 0, toFloat64(known_cost), NULL) AS value,
    CAST(NULL, 'Nullable(Float64)') AS lower,
    CAST(NULL, 'Nullable(Float64)') AS upper,
    ifNull(budget, if(known AND has(names, currency), figures[indexOf(names, currency)], NULL)) AS baseline,
    toUInt64(calls) AS n
FROM paired
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
