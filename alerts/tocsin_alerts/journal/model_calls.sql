-- Calls that the model answered since some time, probes among them: what a release can be measured on.
SELECT toInt64(sum(sign)) AS answered
FROM ai_calls
WHERE project = {project:String} AND use_case = {use_case:String} AND started_at > {since:DateTime64(3, 'UTC')}
    AND (served_by != 'fallback' OR is_probe)
