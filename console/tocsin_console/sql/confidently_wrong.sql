-- Calls of some days that turned out wrong by the last word on them, the surest first. How sure the thirtieth was is found first, so that ids
-- are read only near those. A call whose first word was overruled falls out.
WITH
    (
        SELECT arrayMax(groupArraySorted(30)(ifNull(1 - confidence, 2.)))
        FROM outcomes
        WHERE project = {project:String} AND use_case = {use_case:String} AND kind != 'support' AND (served_by != 'fallback' OR is_probe)
            AND started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')} AND ifNull(correct, score >= 0.5) = 0
    ) AS most_doubt,
    candidates AS
    (
        SELECT call_id
        FROM outcomes
        PREWHERE use_case = {use_case:String} AND ifNull(1 - confidence, 2.) <= most_doubt AND ifNull(correct, score >= 0.5) = 0
            AND started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
        WHERE project = {project:String} AND kind != 'support' AND (served_by != 'fallback' OR is_probe)
        LIMIT 100
    )
SELECT
    call_id, any(at) AS called_at, any(version_of) AS version, any(confidence_of) AS sure, any(label_of) AS said_label, any(value_of) AS said_value,
    argMax(true_label_of, rank) AS true_label, argMax(tuple(true_value_of), rank).1 AS true_value, argMax(kind_of, rank) AS by
FROM
(
    SELECT
        call_id, started_at AS at, model_version AS version_of, confidence AS confidence_of, predicted_label AS label_of, predicted_value AS value_of,
        label AS true_label_of, value AS true_value_of, toString(kind) AS kind_of, assumeNotNull(ifNull(correct, score >= 0.5)) AS is_right,
        (indexOf(['feedback', 'judge', 'review', 'ground_truth'], kind), observed_at, outcome_id) AS rank
    FROM outcomes
    WHERE project = {project:String} AND use_case = {use_case:String} AND kind != 'support' AND call_id IN (SELECT call_id FROM candidates)
        AND started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')} AND (correct IS NOT NULL OR score IS NOT NULL)
)
GROUP BY call_id
HAVING argMax(is_right, rank) = 0
ORDER BY sure DESC NULLS LAST, called_at DESC, call_id
LIMIT {most:UInt32}
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
