-- Verdicts on calls of some days by kind, each call's last: how many, their weight, and how much of it was right.
SELECT kind, count() AS labels, sum(stands_for) AS weight_sum, sum(stands_for * stands_for) AS squares, sumIf(stands_for, is_right = 1) AS right_sum
FROM
(
    SELECT kind, if(weight > 0, weight, 1) AS stands_for, ifNull(correct, score >= 0.5) AS is_right
    FROM outcomes FINAL
    WHERE project = {project:String} AND use_case = {use_case:String}
        AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
        AND kind IN ('ground_truth', 'review') AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
    ORDER BY observed_at DESC, outcome_id DESC
    LIMIT 1 BY call_id, kind
)
GROUP BY kind
