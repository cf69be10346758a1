-- What a use case has: calls, those with confidence, how many of those whose labels should be there have one and how late it came, and
-- reviews; of some weeks.
SELECT
    calls, confident, calls_due, calls_labelled, delay_s, reviews
FROM
(
    SELECT
        toInt64(sum(ai_calls_1h.calls)) AS calls, toInt64(sum(ai_calls_1h.confident)) AS confident,
        toInt64(sumIf(ai_calls_1h.calls, hour < {labels_until:DateTime('UTC')})) AS calls_due
    FROM ai_calls_1h
    WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = '' AND served_by != 'fallback'
        AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
) AS c
CROSS JOIN
(
    SELECT
        uniqExactIf(call_id, kind = 'ground_truth' AND started_at < {labels_until:DateTime('UTC')}) AS calls_labelled,
        quantileIf(0.5)(dateDiff('second', started_at, observed_at), kind = 'ground_truth') AS delay_s,
        uniqExactIf(call_id, kind = 'review') AS reviews
    FROM outcomes FINAL
    WHERE project = {project:String} AND use_case = {use_case:String} AND (correct IS NOT NULL OR score IS NOT NULL)
        AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
) AS o
