-- What went into some calls.
SELECT call_id, input_numbers, input_strings
FROM ai_calls
WHERE project = {project:String} AND use_case = {use_case:String} AND toStartOfHour(started_at) IN {hours:Array(DateTime('UTC'))}
    AND call_id IN {call_ids:Array(String)}
LIMIT 1 BY call_id
