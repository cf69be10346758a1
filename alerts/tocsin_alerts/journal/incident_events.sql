-- Every transition that belongs to an incident, or says when one began, in order.
SELECT event_id, project, use_case, rule, labels, fingerprint, incident, severity, from_state, to_state, slot, value,
    lower, upper, baseline, n, reason, rule_hash
FROM alert_events FINAL
WHERE incident != '' OR to_state IN ('pending', 'inactive')
ORDER BY slot, at, event_id
