-- Labels and wrong answers of one version by day of the call, in its reference window. People and the truth only: feedback
-- chooses itself, a judge errs in ways of its own, and what was drawn to be reviewed is mostly of sure answers.
WITH verdicts AS
(
    SELECT started_at, ifNull(correct, score >= 0.5) AS is_right, kind = 'review' AND weight > 1 AS is_drawn
    FROM outcomes FINAL
    WHERE project = {project:String} AND use_case = {use_case:String}
        AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
        AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
        AND kind IN ('review', 'ground_truth') AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
        AND NOT arrayExists((out_a, out_b) -> toUnixTimestamp(started_at) >= out_a AND toUnixTimestamp(started_at) < out_b, {left_out_since:Array(UInt32)}, {left_out_until:Array(UInt32)})
    ORDER BY kind = 'ground_truth' DESC, observed_at DESC, outcome_id DESC
    LIMIT 1 BY call_id
)
SELECT intDiv(toUnixTimestamp(started_at), 86400) AS day, count() AS labels, countIf(NOT assumeNotNull(is_right)) AS errors
FROM verdicts
WHERE NOT is_drawn
GROUP BY day
ORDER BY day
SETTINGS do_not_merge_across_partitions_select_final = 1
