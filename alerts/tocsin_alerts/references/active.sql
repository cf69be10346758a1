-- The versions that answered in the last seven days.
SELECT project, use_case, model_version, prompt_version
FROM ai_calls_1h
WHERE segment_name = '' AND hour >= {slot:DateTime('UTC')} - 604800 AND hour < {slot:DateTime('UTC')}
GROUP BY ALL
HAVING sum(calls) > 0
ORDER BY ALL
