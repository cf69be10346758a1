-- The newest sample of everything that watches the inputs and answers of one use case for being unlike its reference.
SELECT evaluator, labels, max(slot) AS last_slot, argMax(tuple(value, lower, upper, baseline, n), (slot, evaluated_at)) AS said
FROM evaluations
WHERE project = {project:String} AND use_case = {use_case:String}
    AND evaluator IN ('input_psi', 'input_distance', 'new_category', 'out_of_range', 'confidence_shift', 'output_psi', 'latency')
    AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {until:DateTime64(3, 'UTC')}
GROUP BY evaluator, labels
ORDER BY evaluator, labels
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
