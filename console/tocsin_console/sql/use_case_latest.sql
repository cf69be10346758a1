-- The newest sample of each series of one use case that its page shows a figure of.
SELECT evaluator, labels, max(slot) AS last_slot, argMax(tuple(value, lower, upper, baseline, n), (slot, evaluated_at)) AS said
FROM evaluations
WHERE project = {project:String} AND use_case = {use_case:String}
    AND evaluator IN ('segment_accuracy', 'segment_errors', 'cost_per_correct', 'ece', 'brier')
    AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {until:DateTime64(3, 'UTC')}
GROUP BY evaluator, labels
ORDER BY evaluator, labels
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
