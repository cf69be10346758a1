-- Calls of each use case by currency, from sums: the model's of the last four weeks, and whether its fallback ever served or was probed.
SELECT
    project, use_case, in_currency,
    sumIf(all_calls, is_recent AND is_model) AS made, sumIf(with_confidence, is_recent AND is_model) AS confident,
    sumIf(without_price, is_recent AND is_model) AS unpriced, toFloat64(sumIf(spent, is_recent)) AS cost,
    maxIf(hour, is_model) AS last_hour, minIf(hour, is_recent AND is_model AND all_calls > 0) AS first_hour,
    sumIf(all_calls - in_shadow, NOT is_model) AS by_fallback, sum(in_shadow) AS probes
FROM
(
    SELECT
        project, use_case, currency AS in_currency, hour, served_by != 'fallback' AS is_model,
        hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')} AS is_recent,
        sum(calls) AS all_calls, sum(confident) AS with_confidence, sum(unpriced) AS without_price, sum(cost) AS spent, sum(probes) AS in_shadow
    FROM ai_calls_1h
    WHERE segment_name = ''
    GROUP BY project, use_case, in_currency, hour, is_model, is_recent
)
GROUP BY project, use_case, in_currency
ORDER BY project, use_case, in_currency
