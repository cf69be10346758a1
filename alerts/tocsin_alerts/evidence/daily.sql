-- What was measured of quality at each daily slot of the last 90 days; of several versions, the one with most behind it.
SELECT evaluator, slot, argMax((value, lower, upper, baseline, n), (n, evaluated_at)) AS sample
FROM evaluations FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND evaluator IN ('accuracy', 'estimated_accuracy')
    AND slot > {slot:DateTime('UTC')} - 7776000 AND slot <= {slot:DateTime('UTC')} AND toStartOfDay(slot) = slot
GROUP BY evaluator, slot
ORDER BY evaluator, slot
