-- The outbox: every notification at its last version, or those of one incident, as they were rendered.
SELECT
    notification, incident, project, use_case, transition, channel, state, attempts, severity, subject,
    JSONExtractString(body, 'message', 'text') AS text, JSONExtractString(body, 'message', 'html') AS html, error, slot, at
FROM notifications FINAL
WHERE {incident:String} = '' OR startsWith(incident, {incident:String})
ORDER BY slot, transition, channel
LIMIT 1000
