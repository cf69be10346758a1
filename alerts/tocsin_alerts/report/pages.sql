-- Page incidents that opened in a week: by whom they were taken, when they ended, and what people said they were worth.
SELECT
    e.incident AS incident, its_project AS project, its_use_case AS use_case, rules, opened, opened_at, is_open,
    if(is_open, NULL, toNullable(last_at)) AS ended_at, taken_by, taken_at, said AS verdict, said_by
FROM
(
    SELECT
        incident, any(project_of) AS its_project, any(use_case_of) AS its_use_case, arraySort(groupUniqArray(rule_of)) AS rules,
        min(first_slot) AS opened, min(first_at) AS opened_at, max(fires) AS is_open, max(ends_at) AS last_at
    FROM
    (
        SELECT
            incident, fingerprint, any(project) AS project_of, any(use_case) AS use_case_of, any(rule) AS rule_of, max(severity = 'page') AS pages,
            min(slot) AS first_slot, min(at) AS first_at, argMax(to_state, (slot, at)) IN ('firing', 'recovering') AS fires, max(at) AS ends_at
        FROM alert_events FINAL
        WHERE incident != ''
        GROUP BY incident, fingerprint
    )
    GROUP BY incident
    HAVING max(pages) AND opened >= {since:DateTime64(3, 'UTC')} AND opened < {until:DateTime64(3, 'UTC')}
) AS e
LEFT JOIN
(
    SELECT subject AS incident, argMin(actor, at) AS taken_by, toNullable(min(at)) AS taken_at FROM audit_log WHERE action = 'acknowledge' GROUP BY incident
) AS a USING (incident)
LEFT JOIN
(
    SELECT subject AS incident, argMax(detail, at) AS said, argMax(actor, at) AS said_by FROM audit_log WHERE action = 'verdict' GROUP BY incident
) AS v USING (incident)
ORDER BY opened, incident
