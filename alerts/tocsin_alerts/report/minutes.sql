-- The time that reviews took, of those that were recorded in a week, by use case.
SELECT project, use_case, count() AS reviews, countIf(minutes IS NULL) AS untimed, sum(ifNull(outcomes.minutes, 0)) AS minutes_spent
FROM outcomes FINAL
WHERE kind = 'review' AND (correct IS NOT NULL OR score IS NOT NULL OR label != '' OR outcomes.minutes IS NOT NULL)
    AND observed_at >= {since:DateTime64(3, 'UTC')} AND observed_at < {until:DateTime64(3, 'UTC')}
GROUP BY project, use_case
ORDER BY project, use_case
