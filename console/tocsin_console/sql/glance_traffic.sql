-- Of each use case the calls of some hours, from sums: what failed, what it cost by currency, what has no price.
SELECT
    project, use_case, sum(all_calls) AS calls, sum(failed) AS calls_failed, sum(without_price) AS calls_unpriced,
    mapFromArrays(groupArrayIf(in_currency, in_currency != ''), groupArrayIf(spent, in_currency != '')) AS cost
FROM
(
    SELECT
        project, use_case, toString(currency) AS in_currency, sum(ai_calls_1h.calls) AS all_calls, sum(errors) AS failed, sum(unpriced) AS without_price,
        toFloat64(sum(ai_calls_1h.cost)) AS spent
    FROM ai_calls_1h
    WHERE segment_name = '' AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    GROUP BY project, use_case, in_currency
)
GROUP BY project, use_case
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
