-- What the calls of each declared segment cost in some days, from sums, the dearest first.
SELECT
    segment_name, segment_value, if(sum(calls - unpriced) = 0, '', currency) AS in_currency,
    sum(calls) AS calls_made, sum(retries) AS calls_again, sum(calls - unpriced) AS calls_priced,
    sumIf(unpriced, served_by != 'fallback') AS calls_unpriced, sumIf(calls, served_by = 'fallback') AS calls_fallback, toFloat64(sum(cost)) AS amount
FROM ai_calls_1h
WHERE segment_name != '' AND project = {project:String} AND use_case = {use_case:String} AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
GROUP BY segment_name, segment_value, currency
HAVING calls_made > 0
ORDER BY amount DESC, calls_made DESC, segment_name, segment_value
LIMIT 100
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
