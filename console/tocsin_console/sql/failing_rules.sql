-- Rules whose latest run failed, lately.
SELECT rule, max(slot) AS last_slot, argMax(error, (slot, at)) AS last_error, argMax(state, (slot, at)) AS last_state
FROM rule_runs FINAL
WHERE at > now64(3) - INTERVAL 2 DAY
GROUP BY rule
HAVING last_state = 'failed'
ORDER BY rule
