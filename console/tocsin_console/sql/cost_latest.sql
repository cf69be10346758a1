-- The newest of what evaluators say of money: the month's forecast beside the budget, and what a right answer cost in a week.
SELECT project, use_case, evaluator, labels['currency'] AS in_currency, argMax(tuple(value, lower, upper, baseline, n), (slot, evaluated_at, n)) AS said
FROM evaluations
WHERE evaluator IN ('cost_forecast', 'cost_per_correct') AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {until:DateTime64(3, 'UTC')}
    AND ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
GROUP BY project, use_case, evaluator, in_currency
ORDER BY project, use_case, evaluator, in_currency
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
