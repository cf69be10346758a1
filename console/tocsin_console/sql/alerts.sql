-- Every alert that the journal knows, with the evidence of its last transition.
SELECT
    s.project AS project, s.use_case AS use_case, s.rule AS rule, s.labels AS labels, s.state AS state,
    s.overlay AS overlay, s.severity AS severity, s.incident AS incident, s.since AS since, s.slot AS slot,
    s.value AS value, s.fingerprint AS fingerprint, e.last_reason AS reason,
    a.taken_by AS acknowledged_by, a.taken_at AS acknowledged_at
FROM standing_alerts AS s
LEFT JOIN
(
    SELECT fingerprint, argMax(reason, slot) AS last_reason
    FROM alert_events FINAL
    GROUP BY fingerprint
) AS e ON e.fingerprint = s.fingerprint
LEFT JOIN
(
    SELECT subject, argMin(actor, at) AS taken_by, toNullable(min(at)) AS taken_at
    FROM audit_log
    WHERE action = 'acknowledge'
    GROUP BY subject
) AS a ON a.subject = s.incident
WHERE ({all:UInt8} OR s.state IN ('pending', 'firing', 'recovering') OR s.overlay = 'error')
    AND ({use_case:String} = '' OR s.use_case = {use_case:String})
ORDER BY project, use_case, rule, labels
