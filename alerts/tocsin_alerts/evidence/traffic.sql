-- Calls of the last day.
SELECT sum(calls) AS calls
FROM ai_calls_1h
WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = ''
    AND hour >= {slot:DateTime('UTC')} - 86400 AND hour < {slot:DateTime('UTC')}
