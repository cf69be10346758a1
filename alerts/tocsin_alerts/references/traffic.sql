-- The traffic and cost of a use case over a reference window, by hour of the week (Monday first, UTC) and currency.
SELECT
    (intDiv(toUnixTimestamp(hour), 3600) + 72) % 168 AS hour_of_week, currency,
    sum(calls) AS all_calls, toFloat64(sum(cost)) AS known_cost, sum(calls - unpriced) AS priced,
    sumIf(calls, model_version = {model_version:String} AND prompt_version = {prompt_version:String}) AS own_calls
FROM ai_calls_1h
WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = ''
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    AND NOT arrayExists((out_a, out_b) -> toUnixTimestamp(hour) >= out_a AND toUnixTimestamp(hour) < out_b, {left_out_since:Array(UInt32)}, {left_out_until:Array(UInt32)})
GROUP BY ALL
ORDER BY ALL
