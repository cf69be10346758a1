-- What the calls of some days cost, by currency. A sampled call counts for as many as it stands for; one that names no
-- attempt is a first.
SELECT
    currency AS in_currency, sum(stands_for) AS calls, sumIf(stands_for, attempt > 1) AS retries,
    sumIf(stands_for, session_id != '') AS in_sessions, sumIf(stands_for, attempt <= 1 AND error_type = '' AND is_model) AS answered,
    sumIf(stands_for, price IS NULL AND is_model AND attempt <= 1) AS first_unpriced,
    sumIf(stands_for, price IS NULL AND is_model AND attempt > 1) AS retries_unpriced,
    sumIf(ifNull(price, 0) * stands_for, attempt <= 1) AS first_cost,
    sumIf(ifNull(price, 0) * stands_for, attempt > 1) AS retry_cost
FROM
(
    SELECT
        session_id, attempt, error_type, currency, toFloat64(cost) AS price, if(weight > 0, weight, 1) AS stands_for,
        served_by != 'fallback' OR is_probe AS is_model
    FROM ai_calls
    WHERE project = {project:String} AND use_case = {use_case:String}
        AND toStartOfHour(started_at) >= {since:DateTime('UTC')} AND toStartOfHour(started_at) < {until:DateTime('UTC')}
)
GROUP BY in_currency
ORDER BY in_currency
