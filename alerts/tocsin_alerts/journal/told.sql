-- What evaluators have told of some slots, the latest of each.
SELECT
    evaluator, evaluator_hash, project, use_case, labels, slot, tupleElement(figures, 1) AS value, tupleElement(figures, 2) AS lower,
    tupleElement(figures, 3) AS upper, tupleElement(figures, 4) AS baseline, tupleElement(figures, 5) AS n, tupleElement(figures, 6) AS effect
FROM
(
    SELECT evaluator, evaluator_hash, project, use_case, labels, slot, argMax((value, lower, upper, baseline, n, effect), evaluated_at) AS figures
    FROM evaluations
    WHERE has({evaluators:Array(String)}, evaluator)
        AND slot > {since:DateTime64(3, 'UTC')} AND slot < {until:DateTime64(3, 'UTC')}
    GROUP BY evaluator, evaluator_hash, project, use_case, labels, slot
)
