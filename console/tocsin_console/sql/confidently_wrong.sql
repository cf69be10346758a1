-- Calls of some days that turned out wrong by the last word on them, the surest first.
WITH candidates AS
(
    SELECT call_id
    FROM outcomes
    WHERE project = {project:String} AND use_case = {use_case:String} AND kind != 'support' AND (served_by != 'fallback' OR is_probe)
        AND started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
        AND ifNull(correct, score >= 0.5) = 0
    ORDER BY confidence DESC NULLS LAST, call_id
    LIMIT 200
)
SELECT
    call_id, any(o.started_at) AS called_at, any(o.model_version) AS version, any(o.confidence) AS sure, any(o.predicted_label) AS said_label,
    any(o.predicted_value) AS said_value, argMax(label, rank) AS true_label, argMax(tuple(o.value), rank).1 AS true_value, argMax(kind, rank) AS by
FROM
(
    SELECT *, (indexOf(['feedback', 'judge', 'review', 'ground_truth'], kind), observed_at, outcome_id) AS rank
    FROM outcomes
    WHERE project = {project:String} AND use_case = {use_case:String} AND kind != 'support' AND call_id IN (SELECT call_id FROM candidates)
        AND started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')} AND (correct IS NOT NULL OR score IS NOT NULL)
) AS o
GROUP BY call_id
HAVING argMax(assumeNotNull(ifNull(correct, score >= 0.5)), rank) = 0
ORDER BY sure DESC NULLS LAST, called_at DESC, call_id
LIMIT {most:UInt32}
