-- How far the calls go.
SELECT count() AS hours, max(hour) AS last_hour FROM ai_calls_1h
