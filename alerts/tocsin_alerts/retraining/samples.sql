-- The daily samples of one evaluator, each as it was evaluated last.
SELECT labels, slot AS at_slot, argMax(tuple(value, lower, upper, n), evaluated_at) AS sample
FROM evaluations
WHERE project = {project:String} AND use_case = {use_case:String} AND evaluator = {metric:String}
    AND slot > {after:DateTime64(3, 'UTC')} AND slot <= {slot:DateTime64(3, 'UTC')} AND toStartOfDay(slot) = slot
GROUP BY labels, at_slot
ORDER BY at_slot
