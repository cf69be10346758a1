-- What calls of some days cost, from sums: by day, version and currency, of one use case or of all of them. What the
-- fallback answered has no price and lacks none.
SELECT
    project, use_case, toDate(hour, 'UTC') AS day, model_version, prompt_version, if(sum(calls - unpriced) = 0, '', currency) AS in_currency,
    sum(calls) AS calls_made, sum(retries) AS calls_again, sum(calls - unpriced) AS calls_priced,
    sumIf(unpriced, served_by != 'fallback') AS calls_unpriced, sumIf(calls, served_by = 'fallback') AS calls_fallback, toFloat64(sum(cost)) AS amount
FROM ai_calls_1h
WHERE segment_name = '' AND ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
GROUP BY project, use_case, day, model_version, prompt_version, currency
HAVING calls_made > 0
ORDER BY day, project, use_case, model_version, prompt_version, in_currency
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
