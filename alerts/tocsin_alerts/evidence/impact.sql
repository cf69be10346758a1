-- Calls since an incident began, by currency, and what they cost.
SELECT currency AS in_currency, sum(calls) AS all_calls, sum(unpriced) AS without_price, toFloat64(sum(cost)) AS spent
FROM ai_calls_1h
WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = ''
    AND hour >= toStartOfHour({since:DateTime('UTC')}) AND hour < {slot:DateTime('UTC')}
GROUP BY in_currency
HAVING all_calls > 0
ORDER BY in_currency
