-- The last run of every rule, and of what is recorded once a day: what it read, and what came of it.
SELECT
    rule, max(slot) AS last_slot, max(at) AS last_at, argMax(state, (slot, at)) AS last_state, argMax(asked, (slot, at)) AS was_asked,
    argMax(samples, (slot, at)) AS last_samples, argMax(tuple(rows_read), (slot, at)).1 AS last_read
FROM rule_runs
WHERE at > now64(3) - INTERVAL 2 DAY
GROUP BY rule
ORDER BY rule
