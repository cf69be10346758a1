-- Page incidents of some days: from the first acknowledgement to the end; NULL where nobody acknowledged.
SELECT
    count() AS incidents, countIf(ack_at IS NULL) AS unacknowledged,
    sumIf(greatest(0, dateDiff('second', assumeNotNull(ack_at), if(resolved_at > 0, resolved_at, {until:DateTime('UTC')}))) / 60., ack_at IS NOT NULL) AS incident_minutes
FROM
(
    SELECT
        incident, maxIf(at, to_state = 'resolved') AS last_resolved, min(at) AS opened_at,
        if(argMax(to_state, at) = 'resolved', last_resolved, toDateTime64(0, 3, 'UTC')) AS resolved_at
    FROM alert_events FINAL
    WHERE project = {project:String} AND use_case = {use_case:String} AND incident != '' AND severity = 'page'
    GROUP BY incident
    HAVING min(slot) >= {since:DateTime('UTC')} AND min(slot) < {until:DateTime('UTC')} AND countIf(to_state = 'firing') > 0
) AS e
LEFT JOIN
(
    SELECT subject AS incident, toNullable(min(at)) AS ack_at FROM audit_log WHERE action = 'acknowledge' GROUP BY subject
) AS a USING (incident)
