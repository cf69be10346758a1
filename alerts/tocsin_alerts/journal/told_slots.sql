-- The slots that a rule has done, or that anything was told of: others are not told anew, they never were.
SELECT DISTINCT slot
FROM
(
    SELECT slot FROM rule_runs WHERE rule = {rule:String} AND state = 'done'
    UNION ALL
    SELECT slot FROM evaluations WHERE evaluator = {evaluator:String} AND evaluator_hash = {hash:String}
)
WHERE slot > {since:DateTime64(3, 'UTC')} AND slot < {until:DateTime64(3, 'UTC')}
