-- How far each input was from its reference at each midnight, as it was evaluated then; of several versions the furthest.
SELECT labels['field'] AS field, at_slot, max(psi) AS furthest
FROM
(
    SELECT labels, slot AS at_slot, argMax(value, evaluated_at) AS psi
    FROM evaluations
    WHERE project = {project:String} AND use_case = {use_case:String} AND evaluator = 'input_psi'
        AND slot > {since:DateTime('UTC')} AND slot <= {slot:DateTime('UTC')} AND toStartOfDay(slot) = slot
    GROUP BY labels, at_slot
    HAVING psi IS NOT NULL
)
GROUP BY field, at_slot
ORDER BY field, at_slot
