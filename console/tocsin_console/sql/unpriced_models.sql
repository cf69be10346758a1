-- Models of the last 30 days with calls of unknown cost, the most frequent first.
SELECT provider, model_name AS model, count() AS calls
FROM ai_calls
WHERE cost IS NULL AND model_name != '' AND started_at >= now() - INTERVAL 30 DAY
GROUP BY provider, model
ORDER BY calls DESC
LIMIT 100
