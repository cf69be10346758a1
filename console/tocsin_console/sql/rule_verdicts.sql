-- What people said that the incidents of each rule were worth.
SELECT rule, countIf(said = 'noise') AS noise, countIf(said = 'actionable') AS actionable
FROM
(
    SELECT DISTINCT e.rule AS rule, e.incident AS incident, v.said AS said
    FROM alert_events AS e
    INNER JOIN
    (
        SELECT subject AS incident, argMax(detail, at) AS said FROM audit_log WHERE action = 'verdict' GROUP BY incident
    ) AS v ON v.incident = e.incident
    WHERE e.incident != ''
)
GROUP BY rule
