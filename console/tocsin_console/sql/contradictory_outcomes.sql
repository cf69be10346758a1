-- Calls of which outcomes of one kind say different things, the latest first.
SELECT project, use_case, call_id, kind, started_at, last_observed_at, outcomes, sources, labels, true_values, verdicts
FROM outcomes_contradictory
WHERE ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
ORDER BY last_observed_at DESC, call_id
LIMIT {limit:UInt32}
