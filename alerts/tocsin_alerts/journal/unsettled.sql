-- Transitions that were stored before their slot was done: whoever acts on them may not have heard of them.
-- Of the last evaluator that began, or such as it took over.
SELECT
    event_id, project, use_case, rule, labels, fingerprint, incident, severity, from_state, to_state, slot, value, lower,
    upper, baseline, n, reason, rule_hash
FROM alert_events AS events FINAL
LEFT JOIN
(
    SELECT rule, max(slot) AS done_to
    FROM rule_runs
    WHERE state = 'done' AND (epoch = {epoch:UInt64} OR {epoch:UInt64} = 0)
    GROUP BY rule
) AS done USING (rule)
WHERE events.slot > done.done_to
    AND ({epoch:UInt64} = 0 OR events.epoch = {epoch:UInt64} OR has({carried:Array(String)}, events.event_id))
ORDER BY slot, to_state != 'firing', severity != 'page', severity != 'ticket', rule, fingerprint
