-- Incidents whose pages wait until people work again; the first that is told comes first.
SELECT
    incident, any(its_project) AS project, any(its_use_case) AS use_case, min(told_at) AS until, max(wrong_by_then) AS wrong
FROM
(
    SELECT incident, project AS its_project, use_case AS its_use_case, until AS told_at, wrong AS wrong_by_then
    FROM held_alerts FINAL
    WHERE why = 'waiting'
)
GROUP BY incident
ORDER BY until, project, use_case, incident
