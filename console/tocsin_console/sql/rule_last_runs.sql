-- The last run of each rule since some slot: what it read, what came of it, and why it failed where it did.
SELECT
    rule, max(slot) AS last_slot, max(at) AS last_at, argMax(state, (slot, at)) AS last_state, argMax(asked, (slot, at)) AS was_asked,
    argMax(samples, (slot, at)) AS last_samples, argMax(tuple(rows_read), (slot, at)).1 AS last_read, argMax(error, (slot, at)) AS last_error,
    argMax(duration_ms, (slot, at)) AS last_duration_ms
FROM rule_runs
WHERE slot >= {since:DateTime64(3)}
GROUP BY rule
