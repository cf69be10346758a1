-- The last sample of each series of the evaluators that a verdict rests on.
SELECT
    project, use_case, evaluator, labels, max(slot) AS last_slot,
    argMax(tuple(value, lower, upper, baseline, n), (slot, evaluated_at)) AS sample
FROM evaluations
WHERE evaluator IN ('accuracy', 'reviewed_accuracy', 'estimated_accuracy') AND slot > {after:DateTime64(3, 'UTC')}
GROUP BY project, use_case, evaluator, labels
