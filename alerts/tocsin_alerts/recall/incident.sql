-- The incident that begins like this: whose it is, when its first alert left "inactive", and when its last one ended.
SELECT
    incident, its_project AS project, its_use_case AS use_case, first_slot AS opened, fires AS is_open, last_slot AS ended
FROM
(
    SELECT
        incident, any(project_of) AS its_project, any(use_case_of) AS its_use_case, min(slot_of) AS first_slot, max(still) AS fires, max(last_of) AS last_slot
    FROM
    (
        SELECT
            incident, fingerprint, any(project) AS project_of, any(use_case) AS use_case_of, min(slot) AS slot_of, max(slot) AS last_of,
            argMax(to_state, (slot, at)) IN ('firing', 'recovering') AS still
        FROM alert_events FINAL
        WHERE incident != '' AND startsWith(incident, {beginning:String})
        GROUP BY incident, fingerprint
    )
    GROUP BY incident
)
ORDER BY opened DESC, incident
LIMIT 20
