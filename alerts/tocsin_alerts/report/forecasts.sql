-- What each use case's month is going to cost, as last worked out, and the budget of that month.
SELECT project, use_case, labels['currency'] AS currency, argMax(tuple(value, lower, upper, baseline), (slot, evaluated_at)) AS forecast
FROM evaluations
WHERE evaluator = 'cost_forecast' AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {until:DateTime64(3, 'UTC')}
GROUP BY project, use_case, currency
