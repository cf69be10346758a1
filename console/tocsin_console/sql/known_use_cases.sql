-- The use cases that have calls.
SELECT DISTINCT project, use_case FROM ai_calls_1h WHERE segment_name = ''
