-- What the calls of some days cost, by currency: asked once, tried again by the client, and asked again by the user. A user
-- asks again when a call of the same session follows within ten minutes with near-equal input: the same texts, and numbers
-- within a tenth. A sampled call counts for as many as it stands for.
SELECT
    price_in AS in_currency,
    sum(stands_for) AS calls, sumIf(stands_for, attempt > 1) AS retries, sumIf(stands_for, is_again) AS regenerations,
    sumIf(stands_for, session_id != '') AS in_sessions, sumIf(stands_for, attempt = 1 AND error_type = '' AND is_model) AS answered,
    sumIf(stands_for, price IS NULL AND is_model AND attempt = 1 AND NOT is_again) AS first_unpriced,
    sumIf(stands_for, price IS NULL AND is_model AND attempt > 1) AS retries_unpriced,
    sumIf(stands_for, price IS NULL AND is_model AND is_again) AS regenerations_unpriced,
    sumIf(ifNull(price, 0) * stands_for, attempt = 1 AND NOT is_again) AS first_cost,
    sumIf(ifNull(price, 0) * stands_for, attempt > 1) AS retry_cost,
    sumIf(ifNull(price, 0) * stands_for, is_again) AS regeneration_cost
FROM
(
    SELECT
        session_id, attempt, error_type, currency AS price_in, toFloat64(cost) AS price, if(weight > 0, weight, 1) AS stands_for,
        served_by != 'fallback' OR is_probe AS is_model,
        attempt = 1 AND session_id != '' AND place > 1 AND started_at <= before_at + 600 AND texts = texts_before
            AND length(numbers) = length(numbers_before)
            AND arrayAll((now_number, then_number) -> abs(now_number - then_number) <= 0.1 * greatest(abs(now_number), abs(then_number)),
                numbers, if(length(numbers) = length(numbers_before), numbers_before, numbers)) AS is_again
    FROM
    (
        SELECT
            session_id, attempt, error_type, currency, cost, weight, served_by, is_probe, started_at,
            toString(input_strings) AS texts, mapValues(input_numbers) AS numbers,
            row_number() OVER asked AS place, lagInFrame(started_at) OVER asked AS before_at,
            lagInFrame(texts) OVER asked AS texts_before, lagInFrame(numbers) OVER asked AS numbers_before
        FROM ai_calls
        WHERE project = {project:String} AND use_case = {use_case:String}
            AND toStartOfHour(started_at) >= {since:DateTime('UTC')} AND toStartOfHour(started_at) < {until:DateTime('UTC')}
        WINDOW asked AS (PARTITION BY session_id, if(session_id = '', call_id, ''), attempt > 1 ORDER BY started_at, call_id
            ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
)
GROUP BY in_currency
ORDER BY in_currency
