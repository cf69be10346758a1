-- The draws that one call is in.
SELECT week, draw, position, stratum, selection_probability, state, reviewer, score, correct, minutes, at
FROM review_items FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND call_id = {call_id:String}
ORDER BY week
