-- Days on which people said of calls how good they were, by arrival, with the earliest and the latest of these calls.
SELECT toStartOfDay(ingested_at) AS day, min(started_at) AS earliest, max(started_at) AS latest
FROM outcomes
WHERE kind IN ('review', 'ground_truth') AND ingested_at >= {since:DateTime64(3)} AND ingested_at < {before:DateTime64(3)}
GROUP BY day
ORDER BY day
