-- Incidents, the latest first: when they began and ended, what fired in them and what is worst of it, who had them and when, what the page was
-- worth, and which channels took what was said of them.
SELECT
    i.project AS project, i.use_case AS use_case, i.incident AS incident, i.since AS since, if(i.is_open, NULL, i.until) AS until, i.rules AS rules,
    i.severity AS severity, i.lead AS lead, i.worst AS worst, a.taken_by AS acknowledged_by, a.taken_at AS acknowledged_at, a.verdict AS verdict,
    n.took AS told, n.failed AS not_told
FROM
(
    SELECT
        incident, any(its_project) AS project, any(its_use_case) AS use_case, groupUniqArray(its_rule) AS rules, min(first) AS since, max(last) AS until,
        max(is_open) AS is_open, ['page', 'ticket', 'log'][min(rank)] AS severity, argMin(reason, (rank, first)) AS worst, argMin(its_rule, (rank, first, its_rule)) AS lead
    FROM
    (
        SELECT
            incident, fingerprint, any(e.project) AS its_project, any(e.use_case) AS its_use_case, any(e.rule) AS its_rule, min(slot) AS first,
            toNullable(max(slot)) AS last, argMax(to_state, slot) IN ('firing', 'recovering') AS is_open,
            min(indexOf(['page', 'ticket', 'log'], severity)) AS rank, argMinIf(reason, slot, to_state = 'firing') AS reason
        FROM alert_events AS e FINAL
        WHERE incident != '' AND ({use_case:String} = '' OR e.use_case = {use_case:String}) AND ({rule:String} = '' OR e.rule = {rule:String})
        GROUP BY incident, fingerprint
    )
    GROUP BY incident
) AS i
LEFT JOIN
(
    SELECT
        subject, argMinIf(actor, at, action = 'acknowledge') AS taken_by, minOrNullIf(at, action = 'acknowledge') AS taken_at,
        argMaxIf(detail, at, action = 'verdict') AS verdict
    FROM audit_log FINAL
    WHERE action IN ('acknowledge', 'verdict')
    GROUP BY subject
) AS a ON a.subject = i.incident
LEFT JOIN
(
    SELECT incident, arraySort(groupUniqArrayIf(channel, state = 'sent')) AS took, arraySort(groupUniqArrayIf(channel, state = 'dead')) AS failed
    FROM notifications FINAL
    GROUP BY incident
) AS n ON n.incident = i.incident
WHERE i.since >= {since:DateTime64(3)} OR i.is_open
ORDER BY since DESC, incident
LIMIT {most:UInt32}
