-- Of the first attempts of some days, those by which a user asked again: a call of the same session within ten minutes of
-- the one before, with near-equal input: the same texts, and numbers within a tenth. Their number and cost, by currency.
SELECT
    again.6 AS in_currency, sum(again.8) AS regenerations, sumIf(again.8, again.7 IS NULL AND again.9) AS regenerations_unpriced,
    sum(ifNull(again.7, 0) * again.8) AS regeneration_cost
FROM
(
    SELECT
        arraySort(call -> (call.1, call.2), groupArray((started_at, call_id, texts, numbers, 0, currency, price, stands_for, is_model))) AS asked,
        arrayFilter((call, before, place) -> place > 1 AND call.1 <= before.1 + 600 AND call.3 = before.3
            AND length(call.4) = length(before.4) AND arrayAll((now_number, then_number) ->
                abs(now_number - then_number) <= 0.1 * greatest(abs(now_number), abs(then_number)), call.4,
                arrayResize(before.4, length(call.4))),
            asked, arrayPushFront(arrayPopBack(asked), asked[1]), arrayEnumerate(asked)) AS asked_again
    FROM
    (
        SELECT
            session_id, toUnixTimestamp64Nano(started_at) / 1e9 AS started_at, call_id, currency, toFloat64(cost) AS price,
            cityHash64(mapKeys(input_strings), mapValues(input_strings), mapKeys(input_numbers)) AS texts,
            mapValues(input_numbers) AS numbers, if(weight > 0, weight, 1) AS stands_for, served_by != 'fallback' OR is_probe AS is_model
        FROM ai_calls
        WHERE project = {project:String} AND use_case = {use_case:String} AND session_id != '' AND attempt <= 1
            AND toStartOfHour(ai_calls.started_at) >= {since:DateTime('UTC')} AND toStartOfHour(ai_calls.started_at) < {until:DateTime('UTC')}
    )
    GROUP BY session_id
    HAVING count() > 1
)
ARRAY JOIN asked_again AS again
GROUP BY in_currency
ORDER BY in_currency
