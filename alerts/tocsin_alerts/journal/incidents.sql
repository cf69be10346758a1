-- Incidents whose name begins like this, the latest first; open while one of their alerts fires or recovers.
SELECT
    incident, any(its_project) AS project, any(its_use_case) AS use_case, groupUniqArray(its_rule) AS rules, min(first) AS since,
    max(last) AS last_slot, max(is_open) AS is_open
FROM
(
    SELECT
        incident, fingerprint, any(project) AS its_project, any(use_case) AS its_use_case, any(rule) AS its_rule, min(slot) AS first,
        max(slot) AS last, argMax(to_state, (slot, at)) IN ('firing', 'recovering') AS is_open
    FROM alert_events FINAL
    WHERE incident != '' AND startsWith(incident, {beginning:String})
    GROUP BY incident, fingerprint
)
GROUP BY incident
ORDER BY since DESC, incident
LIMIT 20
