-- What was asked and answered in one call, where that was captured.
SELECT kind, role, content
FROM call_content
WHERE project = {project:String} AND at >= {started_at:DateTime64(9, 'UTC')} - 86400 AND at < {started_at:DateTime64(9, 'UTC')} + 86400
    AND (call_id = {call_id:String} OR response_id != '' AND response_id = {call_key:String})
ORDER BY kind = 'system' DESC, kind, at, position
LIMIT 1 BY kind, role, position, content
LIMIT 50
