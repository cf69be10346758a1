-- Of labelled calls of some days: how sure they were, in twenty steps, and how many of each were right. Of very many a part, which a
-- hash of the call picks. Confidences below a half share coarser steps, since hardly any model is that unsure.
SELECT
    if(sure >= 0.9, floor(sure * 50) / 50, floor(sure * 10) / 10) AS step, avg(sure) AS confidence, avg(is_right) AS share, count() AS labelled
FROM
(
    SELECT call_id, any(least(confidence, 0.999999)) AS sure, argMax(assumeNotNull(ifNull(correct, score >= 0.5)), (rank, observed_at)) AS is_right
    FROM
    (
        SELECT call_id, confidence, correct, score, observed_at, indexOf(['feedback', 'judge', 'review', 'ground_truth'], kind) AS rank
        FROM outcomes
        WHERE project = {project:String} AND use_case = {use_case:String} AND kind != 'support' AND (served_by != 'fallback' OR is_probe)
            AND started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')} AND confidence IS NOT NULL
            AND (correct IS NOT NULL OR score IS NOT NULL) AND cityHash64(call_id) % {every:UInt32} = 0
    )
    GROUP BY call_id
)
GROUP BY step
HAVING labelled >= 10
ORDER BY step
