-- The calls of one version by day, with the first hour of each.
SELECT toUnixTimestamp(toStartOfDay(hour, 'UTC')) AS day, toUnixTimestamp(min(hour)) AS first_hour, sum(calls) AS calls
FROM ai_calls_1h
WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = ''
    AND model_version = {model_version:String} AND prompt_version = {prompt_version:String} AND hour < {slot:DateTime('UTC')}
GROUP BY day
HAVING calls > 0
ORDER BY day
