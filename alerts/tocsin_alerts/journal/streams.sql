-- Use cases with calls in the four weeks before: as many share the budget of false pages.
SELECT DISTINCT project, use_case
FROM ai_calls_1h
WHERE segment_name = '' AND hour >= {until:DateTime('UTC')} - 2419200 AND hour < {until:DateTime('UTC')}
