-- When each version answered first, and its share of the calls of the last seven days; and the calls of each day.
SELECT 'version' AS what, model_version, prompt_version, min(hour) AS first_at, sumIf(calls, hour >= {slot:DateTime('UTC')} - 604800) AS recent
FROM ai_calls_1h
WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = '' AND served_by != 'fallback'
    AND hour >= {since:DateTime('UTC')} AND hour < {slot:DateTime('UTC')}
GROUP BY model_version, prompt_version
UNION ALL
SELECT 'day' AS what, '' AS model_version, '' AS prompt_version, toStartOfDay(hour) AS first_at, sum(calls) AS recent
FROM ai_calls_1h
WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = ''
    AND hour >= {since:DateTime('UTC')} AND hour < {slot:DateTime('UTC')}
GROUP BY first_at
ORDER BY what, first_at
