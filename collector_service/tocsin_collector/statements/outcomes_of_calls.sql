-- What was said of these calls.
SELECT call_id, kind, source, outcome_id, label, value, score, correct
FROM outcomes FINAL
WHERE project = {project:String} AND call_id IN {calls:Array(String)}
ORDER BY call_id, kind, observed_at, outcome_id
