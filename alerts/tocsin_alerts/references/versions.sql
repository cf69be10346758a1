-- Every version that has answered, its calls, and when.
SELECT project, use_case, model_version, prompt_version, sum(calls) AS calls_made, min(hour) AS first_hour, max(hour) AS last_hour
FROM ai_calls_1h
WHERE segment_name = '' AND served_by != 'fallback'
GROUP BY ALL
HAVING calls_made > 0
ORDER BY ALL
