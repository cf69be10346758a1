-- The last word on each of some calls: the truth over a review over a judge over feedback, then the latest.
SELECT project, call_id, kind, assumeNotNull(ifNull(correct, score >= 0.5)) AS is_right
FROM outcomes FINAL
WHERE (project, call_id) IN {calls:Array(Tuple(String, String))} AND started_at >= {since:DateTime64(9, 'UTC')} AND started_at <= {until:DateTime64(9, 'UTC')}
    AND kind != 'support' AND (correct IS NOT NULL OR score IS NOT NULL)
ORDER BY project, call_id, indexOf(['feedback', 'judge', 'review', 'ground_truth'], kind) DESC, observed_at DESC, outcome_id DESC
LIMIT 1 BY project, call_id
