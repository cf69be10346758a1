-- People who asked during the last day, of calls that name one.
SELECT uniqCombined(user_id) AS users
FROM ai_calls
WHERE project = {project:String} AND use_case = {use_case:String} AND user_id != ''
    AND toStartOfHour(started_at) >= {slot:DateTime('UTC')} - 86400 AND toStartOfHour(started_at) < {slot:DateTime('UTC')}
