-- Which of these outcomes came before, by a reference to their call.
SELECT DISTINCT outcome_id
FROM outcomes_waiting
WHERE project = {project:String} AND outcome_id IN {ids:Array(String)}
