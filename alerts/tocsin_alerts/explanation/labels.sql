-- How many answers of each day turned out right, by the last word on each call; reviews and judges weigh as they were drawn.
SELECT day, count() AS labels, sum(stands_for) AS weight_sum, sumIf(stands_for, is_right = 1) AS right_sum
FROM
(
    SELECT toDate(started_at, 'UTC') AS day, if(weight > 0, weight, 1) AS stands_for, ifNull(correct, score >= 0.5) AS is_right
    FROM outcomes FINAL
    WHERE project = {project:String} AND use_case = {use_case:String}
        AND started_at >= {since:DateTime('UTC')} AND started_at < {slot:DateTime('UTC')}
        AND kind IN ('ground_truth', 'review') AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
    ORDER BY kind = 'ground_truth' DESC, observed_at DESC, outcome_id DESC
    LIMIT 1 BY call_id
)
GROUP BY day
ORDER BY day
SETTINGS do_not_merge_across_partitions_select_final = 1
