-- The calls of the same hours a week ago, and since when there are any.
SELECT
    sumIf(calls, hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}) AS expected, min(hour) AS first_hour, count() AS hours
FROM ai_calls_1h
WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = ''
