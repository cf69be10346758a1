-- The calls of one draw, in the order in which they are scored.
SELECT *
FROM review_items FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND week = {week:Date} AND draw = {draw:String}
ORDER BY position
