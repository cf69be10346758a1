-- The slot to which each rule was done by the last evaluator that began; by any before there were takeovers.
SELECT rule, max(slot) AS done_to
FROM rule_runs
WHERE state = 'done' AND (epoch = {epoch:UInt64} OR {epoch:UInt64} = 0)
GROUP BY rule
