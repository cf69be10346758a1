-- The facts of calls that go by one of these ids: their own, their response's, or trace and span.
SELECT
    call_id, call_key, concat(trace_id, span_id) AS span_key, use_case, started_at, model_version, prompt_version, served_by, is_probe,
    output_label, output_value, confidence, weight, segments
FROM ai_calls
WHERE sign = 1 AND project = {project:String} AND started_at >= {since:DateTime64(3)}
    AND (call_id IN {ids:Array(String)} OR call_key IN {ids:Array(String)} OR span_key IN {ids:Array(String)})
ORDER BY started_at, call_id
