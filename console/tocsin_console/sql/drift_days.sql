-- How far each input field, confidence and answers had moved at each midnight of some days; of several versions, the one with most behind it.
SELECT evaluator, field, toDate(at_slot) AS day, argMax(tuple(psi), behind).1 AS moved
FROM
(
    SELECT
        evaluator, labels['field'] AS field, labels, slot AS at_slot, argMax(tuple(value), evaluated_at).1 AS psi, argMax(n, evaluated_at) AS behind
    FROM evaluations
    WHERE project = {project:String} AND use_case = {use_case:String} AND evaluator IN ('input_psi', 'confidence_shift', 'output_psi')
        AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {until:DateTime64(3, 'UTC')} AND toStartOfDay(slot) = slot
    GROUP BY evaluator, field, labels, at_slot
)
GROUP BY evaluator, field, day
ORDER BY evaluator, field, day
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
