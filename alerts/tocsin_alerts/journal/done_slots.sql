-- The slots that rules have done: others are not told anew, they never were.
SELECT DISTINCT rule, slot
FROM rule_runs
WHERE has({rules:Array(String)}, rule) AND state = 'done' AND slot > {since:DateTime64(3, 'UTC')} AND slot < {until:DateTime64(3, 'UTC')}
