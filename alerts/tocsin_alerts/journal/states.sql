-- Where every alert stands, and the last slot at which an evaluator spoke of it.
SELECT fingerprint, project, use_case, rule, labels, state, overlay, incident, severity, since, slot, value, acknowledged_by, rule_hash
FROM alert_state FINAL
