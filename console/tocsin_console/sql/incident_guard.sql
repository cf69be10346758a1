-- What the guard did, or would have done, about an incident.
SELECT at, since, state, mode, applied, cause, actor FROM guard_events FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND incident = {incident:String}
ORDER BY version
LIMIT 1000
