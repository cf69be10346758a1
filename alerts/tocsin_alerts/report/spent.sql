-- What each use case cost in a week and in the week before, by currency, from sums.
SELECT
    project, use_case, in_currency AS currency,
    sumIf(all_calls, is_now) AS calls, sumIf(without_price, is_now) AS unpriced, toFloat64(sumIf(spent, is_now)) AS cost,
    sumIf(all_calls, NOT is_now) AS calls_before, sumIf(without_price, NOT is_now) AS unpriced_before, toFloat64(sumIf(spent, NOT is_now)) AS cost_before
FROM
(
    SELECT
        project, use_case, currency AS in_currency, hour >= {since:DateTime('UTC')} AS is_now,
        sum(calls) AS all_calls, sum(unpriced) AS without_price, sum(cost) AS spent
    FROM ai_calls_1h
    WHERE segment_name = '' AND hour >= {since:DateTime('UTC')} - INTERVAL 7 DAY AND hour < {until:DateTime('UTC')}
    GROUP BY project, use_case, in_currency, is_now
)
GROUP BY project, use_case, in_currency
ORDER BY project, use_case, currency
