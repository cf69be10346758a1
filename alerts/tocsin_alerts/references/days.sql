-- The calls of one version by day, with the first hour of each.
SELECT toUnixTimestamp(toStartOfDay(hour, 'UTC')) AS day, toUnixTimestamp(min(hour)) AS first_hour, sum(calls) AS calls
FROM ai_calls_1h
WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = ''
    AND model_version = {model_version:String} AND prompt_version = {prompt_version:String} AND hour < {slot:DateTime('UTC')}
    AND NOT arrayExists((out_a, out_b) -> toUnixTimestamp(hour) >= out_a AND toUnixTimestamp(hour) < out_b, {left_out_since:Array(UInt32)}, {left_out_until:Array(UInt32)})
GROUP BY day
HAVING calls > 0
ORDER BY day
