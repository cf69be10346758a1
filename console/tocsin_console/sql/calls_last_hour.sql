-- How far the calls of a use case go, or of all.
SELECT max(hour) AS last_hour, count() AS hours
FROM ai_calls_1h
WHERE segment_name = '' AND ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
