-- The guard of each use case: what is in force, and what shadow mode would have done since.
SELECT
    project, use_case,
    argMaxIf(state, version, applied) AS state_in_force,
    argMaxIf(cause, version, applied) AS cause_in_force,
    argMaxIf(actor, version, applied) AS actor_in_force,
    argMaxIf(since, version, applied) AS since_in_force,
    argMaxIf(probe_share, version, applied) AS probe_share_in_force,
    argMaxIf(mode, version, applied) AS mode_in_force,
    argMaxIf(incident, version, applied) AS incident_in_force,
    argMaxIf(tuple(hold_until), version, applied).1 AS hold_until_in_force,
    argMaxIf(tuple(expires_at), version, applied).1 AS expires_at_in_force,
    maxIf(version, applied) AS version_in_force,
    argMax(state, version) AS last_state,
    argMax(applied, version) AS last_applied,
    argMax(cause, version) AS last_cause,
    argMax(since, version) AS last_since
FROM guard_events FINAL
GROUP BY project, use_case
ORDER BY project, use_case
