-- Transitions of the alerts of an incident, named by how it begins, with those before it that led there, in order.
SELECT event_id, project, use_case, rule, labels, fingerprint, incident, severity, from_state, to_state, slot, value, lower, upper, baseline, n, reason, rule_hash, at
FROM alert_events FINAL
WHERE startsWith(incident, {incident:String})
    OR (incident = '' AND fingerprint IN (SELECT fingerprint FROM alert_events WHERE incident != '' AND startsWith(incident, {incident:String})))
ORDER BY slot, at, event_id
LIMIT 10000
