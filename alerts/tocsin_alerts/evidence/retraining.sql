-- The last retraining that was set off since an incident began.
SELECT state, action, slot, if(result != '', result, said) AS said
FROM retraining_runs FINAL
WHERE project = {project:String} AND use_case = {use_case:String}
    AND retraining_runs.slot >= {since:DateTime('UTC')} AND retraining_runs.slot <= {slot:DateTime('UTC')}
ORDER BY retraining_runs.slot DESC, run
LIMIT 1
