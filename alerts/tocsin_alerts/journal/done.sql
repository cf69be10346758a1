-- The slot to which each rule is done.
SELECT rule, max(slot) AS done_to
FROM rule_runs FINAL
WHERE state = 'done'
GROUP BY rule
