-- Where every alert stands, as the last evaluator that began wrote it.
SELECT fingerprint, project, use_case, rule, labels, state, overlay, incident, severity, since, slot, value, acknowledged_by, rule_hash
FROM alert_state FINAL
WHERE fence = {epoch:UInt64}
