-- What became of guards, the latest first.
SELECT project, use_case, version, state, mode, applied, cause, actor, incident, hold_until, expires_at, since, at
FROM guard_events FINAL
WHERE {use_case:String} = '' OR (project = {project:String} AND use_case = {use_case:String})
ORDER BY at DESC, version DESC
LIMIT {most:UInt32}
