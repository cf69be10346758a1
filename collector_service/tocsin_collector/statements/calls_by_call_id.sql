-- The facts of calls that have these ids of their own: a third of the reading of calls_by_id.sql.
SELECT
    call_id, use_case, started_at, model_version, prompt_version, served_by, is_probe,
    output_label, output_value, confidence, weight, segments
FROM ai_calls
PREWHERE call_id IN {ids:Array(String)}
WHERE sign = 1 AND project = {project:String} AND started_at >= {since:DateTime64(3)}
ORDER BY started_at, call_id
