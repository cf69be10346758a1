-- How many calls each hour of a time range has, the latest hour first.
SELECT hour, sum(calls) AS calls
FROM ai_calls_1h
WHERE segment_name = '' AND ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
    AND hour >= toStartOfHour({since:DateTime('UTC')}) AND hour < {until:DateTime('UTC')}
GROUP BY hour
HAVING calls > 0
ORDER BY hour DESC
