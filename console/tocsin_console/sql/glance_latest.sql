-- The newest sample of each series that an overview shows one figure of: latency, inputs' drift, the month's cost.
SELECT project, use_case, evaluator, labels, max(slot) AS last_slot, argMax(tuple(value, lower, upper, baseline, n), (slot, evaluated_at)) AS said
FROM evaluations
WHERE evaluator IN ('latency', 'input_psi', 'cost_forecast') AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {until:DateTime64(3, 'UTC')}
    AND (evaluator != 'latency' OR labels['quantile'] = 'p95')
GROUP BY project, use_case, evaluator, labels
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
