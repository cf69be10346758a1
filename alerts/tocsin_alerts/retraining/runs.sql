-- What was set off, the latest first.
SELECT *
FROM retraining_runs FINAL
WHERE ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
ORDER BY slot DESC, run
LIMIT 200
