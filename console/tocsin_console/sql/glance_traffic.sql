-- Of each use case the calls of some hours beside all there ever were, from sums: what failed, what it cost, what has no price.
SELECT
    project, use_case, sum(all_calls) AS calls_ever, min(hour) AS first_hour, max(hour) AS last_hour,
    sumIf(all_calls, is_now) AS calls, sumIf(failed, is_now) AS calls_failed, sumIf(without_price, is_now) AS calls_unpriced,
    sumMap(if(is_now AND in_currency != '', map(in_currency, spent), map())) AS cost
FROM
(
    SELECT
        project, use_case, hour, currency AS in_currency, hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')} AS is_now,
        sum(ai_calls_1h.calls) AS all_calls, sum(errors) AS failed, sum(unpriced) AS without_price, toFloat64(sum(ai_calls_1h.cost)) AS spent
    FROM ai_calls_1h
    WHERE segment_name = ''
    GROUP BY project, use_case, hour, in_currency, is_now
)
WHERE all_calls > 0
GROUP BY project, use_case
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
