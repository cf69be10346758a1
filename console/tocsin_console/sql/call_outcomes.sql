-- What was said of one call, the first first.
SELECT kind, source, outcome_id, label, value, score, correct, minutes, author, comment, observed_at, received_at
FROM outcomes FINAL
WHERE project = {project:String} AND call_id = {call_id:String}
ORDER BY observed_at, outcome_id
LIMIT 200
